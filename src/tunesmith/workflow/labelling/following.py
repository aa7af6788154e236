"""The queue follows what was labelled: a small model learns in the background, suggests, and chooses."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tunesmith.core.errors import TunesmithError
from tunesmith.core.store import Store
from tunesmith.core.store.labelling import Answer, Item, Project, Suggestion
from tunesmith.core.workspace import Workspace
from tunesmith.data.annotation import choosing, kinds, stopping
from tunesmith.data.annotation.choosing import Numbers
from tunesmith.data.annotation.kinds import CLASS, MULTILABEL
from tunesmith.data.annotation.outcome import outcomes
from tunesmith.data.annotation.stopping import Stopping
from tunesmith.data.annotation.voting import Vote, combined
from tunesmith.workflow.labelling import suggesters
from tunesmith.workflow.labelling.learner import LEAST, Learner, until_next
from tunesmith.workflow.labelling.several_learner import SeveralLearner

LEARNED = "learned"
"""The name under which the model that learns while people label suggests."""

_LEARNERS: Mapping[str, type[Learner]] = {CLASS: Learner, MULTILABEL: SeveralLearner}
_CHOSEN = 200
_SUGGESTED = 1000


@dataclass(slots=True)
class Following:
    """One project's model: what it has read of the items stays, and it goes on from where it was."""

    store: Store
    project: Project
    workspace: Workspace
    _learner: Learner | None = None
    _given: dict[int, list[Suggestion]] = field(default_factory=dict[int, list[Suggestion]])

    def follow(self) -> bool:
        """Learn from all that was labelled, suggest, and put the queue in order.

        False as long as there is too little to learn from; others than this model suggest all the same.

        Raises:
            TunesmithError: when a suggester cannot be asked.
        """
        known, labels = self._labelled()
        open_ = self._open()
        if len(known) < LEAST or len(set(labels)) < 2:
            is_learned = self.project.task in kinds.LEARNED
            if is_learned and self.project.order == "mixed" and len(known) < choosing.COVERED:
                self._queue(self._ready(), open_, known, labels)
                open_ = self._open()
            self._suggest(None, open_)
            return False
        learner = self._ready()
        learner.fit(known, labels)
        if self.project.order in choosing.ORDERS:
            self._queue(learner, open_, known, labels)
            open_ = self._open()
        self._suggest(learner, open_)
        return True

    def stopping(self) -> Stopping:
        """Whether more labels are worth it, on the items that were drawn at random and labelled."""
        if self.project.task not in kinds.LEARNED:
            return Stopping(curve=(), held_out=0, expected_gain=None, advice="no_learner")
        known, labels = self._labelled()
        items = {item.number: item for item in self.store.items(self.project.name)}
        drawn = np.array([items[int(n)].why == "random" for n in known], bool)
        held_out = int(drawn.sum())
        learned = [label for label, is_drawn in zip(labels, drawn, strict=True) if not is_drawn]
        if held_out < stopping.LEAST_HELD_OUT or len(set(learned)) < 2:
            return stopping.advise((), held_out)
        truth = [label for label, is_drawn in zip(labels, drawn, strict=True) if is_drawn]
        curve = []
        for size in stopping.sizes(len(learned)):
            if len(set(learned[:size])) < 2:
                continue
            learner = _LEARNERS[self.project.task](self._ready().vectors)
            learner.fit(known[~drawn][:size], learned[:size])
            curve.append((size, round(learner.score(known[drawn], truth), 4)))
        return stopping.advise(curve, held_out)

    def _labelled(self) -> tuple[Numbers, list[Any]]:
        """The items with an answer, in the order in which they got it, and what is learned of each."""
        if self.project.task not in kinds.LEARNED:
            return np.array([], np.int64), []
        found = outcomes(self.project.task, self.store.standing_decisions(self.project.name))
        done = [(one, one.answer) for one in found if one.answer is not None]
        done.sort(key=lambda pair: pair[0].decisions[0].made)
        labels = [_learned(answer) for _, answer in done]
        return np.array([one.item for one, _ in done], np.int64), labels

    def _ready(self) -> Learner:
        if self._learner is None:
            from tunesmith.models.tfidf import features_of

            items = self.store.items(self.project.name)
            vectors = features_of([str(item.content["text"]) for item in items])
            self._learner = _LEARNERS[self.project.task](vectors, seed=self.project.seed)
        return self._learner

    def _open(self) -> list[Item]:
        """What nobody decided about, in the order of the queue."""
        decided = {one.item for one in self.store.standing_decisions(self.project.name)}
        found = [item for item in self.store.items(self.project.name) if item.number not in decided]
        return sorted(found, key=lambda item: (item.rank, item.number))

    def _suggest(self, learner: Learner | None, items: Sequence[Item]) -> None:
        """Suggestions of the model and of everybody else for the items that come next."""
        some = list(items[:_SUGGESTED])
        fresh = [item for item in some if item.number not in self._given]
        if fresh and self.project.suggesters:
            self._given |= suggesters.suggest(self.project, fresh, self.workspace)
        if not some or (learner is None and not self._given):
            return
        learned = [[]] * len(some) if learner is None else _votes(learner, some)
        made = {}
        for item, own in zip(some, learned, strict=True):
            others = [Vote(by=one.by, answer=one.answer, score=one.score) for one in self._others(item)]
            made[item.number] = combined(self.project.task, [*own, *others])
        self.store.suggest(self.project.name, made)

    def _others(self, item: Item) -> list[Suggestion]:
        """What models and rules say; else what was said of the row when it came, by itself or by a user."""
        came = [one for one in map(_without_own, item.suggested) if one.by]
        return self._given.setdefault(item.number, came)

    def _queue(self, learner: Learner, items: Sequence[Item], known: Numbers, labels: Sequence[Any]) -> None:
        """The next items by what the model is unsure of, with those drawn at random between them."""
        drawn = [item.number for item in items if item.why == "random"]
        others = np.array([item.number for item in items if item.why in ("given", "model")], np.int64)
        if not len(others):
            return
        chosen = learner.choose(self.project.order, others, known, labels, _CHOSEN).tolist()
        share = self.project.random
        queue = choosing.interleaved(chosen, drawn[: int(len(chosen) * share) + 1], share)
        # Before everything else: what is not chosen keeps its place behind.
        ranks = {number: float(at - len(queue)) for at, number in enumerate(queue)}
        taken = set(chosen)
        self.store.rank_items(self.project.name, {n: r for n, r in ranks.items() if n in taken}, "model")
        self.store.rank_items(self.project.name, {n: r for n, r in ranks.items() if n not in taken}, "random")


@dataclass(slots=True)
class Background:
    """Lets projects follow what was labelled while people go on labelling; one thread for each project."""

    store: Store
    workspace: Workspace
    _following: dict[str, Following] = field(default_factory=dict[str, Following])
    _waiting: dict[str, int] = field(default_factory=dict[str, int])
    _learned_from: dict[str, int] = field(default_factory=dict[str, int])
    _busy: dict[str, threading.Thread] = field(default_factory=dict[str, threading.Thread])
    failed: dict[str, TunesmithError] = field(default_factory=dict[str, TunesmithError])

    def begin(self, project: Project) -> None:
        """Suggest for what comes first, and learn from what was labelled before."""
        self._start(project)

    def labelled(self, project: Project, count: int = 1) -> None:
        """Say that labels came in; when enough have, the project's model learns."""
        name = project.name
        self._waiting[name] = self._waiting.get(name, 0) + count
        if self._waiting[name] >= until_next(self._learned_from.get(name, 0)):
            self._start(project)

    def of(self, project: Project) -> Following:
        """The model of a project, with its newest settings."""
        found = self._following.setdefault(project.name, Following(self.store, project, self.workspace))
        found.project = project
        return found

    def join(self) -> None:
        """Wait for those that learn."""
        for thread in self._busy.values():
            thread.join()

    def _start(self, project: Project) -> None:
        name = project.name
        if name in self._busy and self._busy[name].is_alive():
            return
        self._learned_from[name] = self._learned_from.get(name, 0) + self._waiting.pop(name, 0)
        self._busy[name] = threading.Thread(target=self._follow, args=(project,), daemon=True)
        self._busy[name].start()

    def _follow(self, project: Project) -> None:
        try:
            self.of(project).follow()
            self.failed.pop(project.name, None)
        except TunesmithError as error:
            # Labelling goes on without suggestions; the page and the status say why there are none.
            self.failed[project.name] = error


def _votes(learner: Learner, items: Sequence[Item]) -> list[list[Vote]]:
    found = learner.answers(np.array([item.number for item in items], np.int64))
    return [[Vote(by=LEARNED, answer=answer, score=score)] for answer, score in found]


def _without_own(said: Suggestion) -> Suggestion:
    """A suggestion as it came with the row; by nobody if this model alone made it.

    Its score may be the share that it had of a vote before, which would shrink from vote to vote.
    """
    names = (name for name in said.by.split(", ") if name != LEARNED)
    return replace(said, by=", ".join(names), score=1.0)


def _learned(answer: Answer) -> str | tuple[str, ...]:
    """One label, or all labels of an item."""
    return str(answer["label"]) if "label" in answer else tuple(sorted(answer["labels"]))
