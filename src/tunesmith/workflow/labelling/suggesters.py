"""Who suggests: models of any kind, a hosted model that reads the guideline, and rules; combined by vote.

A suggester is a mapping that a project keeps: `{"kind": "model", "name", "weight"}`, or `{"kind": "rules",
"name", "weight", "rules"}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from tunesmith.core.errors import UsageError
from tunesmith.core.store.labelling import Answer, Item, Project, Suggestion
from tunesmith.core.workspace import Workspace
from tunesmith.data.annotation import rules
from tunesmith.data.annotation.answers import checked
from tunesmith.data.annotation.kinds import ANSWER, CLASS, MULTILABEL, SPANS
from tunesmith.data.annotation.voting import Vote, combined

_HALF = 0.5

Said: TypeAlias = Sequence[tuple[Answer | None, float]]
"""For each item the answer of a model, if it has one, and how sure it is."""


def of_name(name: str, workspace: Workspace) -> dict[str, Any]:
    """A suggester as a command line names it: a file of rules (`.toml`), else a model.

    Raises:
        NotFoundError, UsageError: see `rules.read`.
        TunesmithError: see `resolve`, when there is no such model.
    """
    if not name.endswith(".toml"):
        from tunesmith.models.resolve import resolve

        resolve(name, workspace)
        return {"kind": "model", "name": name, "weight": 1.0}
    return {"kind": "rules", "name": Path(name).stem, "weight": 1.0, "rules": rules.read(Path(name))}


def suggest(project: Project, items: Sequence[Item], workspace: Workspace) -> dict[int, list[Suggestion]]:
    """What all suggesters of a project together say of items, by item; the surest first.

    Raises:
        UsageError: L14 when a suggester knows nothing of the project's task.
        TunesmithError: when a model cannot be loaded or asked.
    """
    votes: dict[int, list[Vote]] = {item.number: [] for item in items}
    for suggester in project.suggesters:
        for item, made in zip(items, _votes(project, suggester, items, workspace), strict=True):
            votes[item.number] += made
    return {number: combined(project.task, made) for number, made in votes.items()}


def _votes(
    project: Project, suggester: Mapping[str, Any], items: Sequence[Item], workspace: Workspace
) -> list[list[Vote]]:
    name, weight = str(suggester["name"]), float(suggester["weight"])
    if suggester["kind"] == "rules":
        if project.task not in rules.TASKS:
            raise UsageError("L14", name=name, kind="rules", task=project.task)
        texts = _texts(items)
        return [
            _known(project, t, rules.votes(project.task, t, suggester["rules"], by=name, weight=weight))
            for t in texts
        ]
    said = _said(project, name, items, workspace)
    return [
        [] if answer is None else [Vote(by=name, answer=answer, score=score, weight=weight)]
        for answer, score in said
    ]


def _known(project: Project, text: str, votes: Sequence[Vote]) -> list[Vote]:
    """The votes for labels that the project has."""
    found = []
    for vote in votes:
        try:
            checked(project, {"text": text}, vote.answer)
        except UsageError:
            continue
        found.append(vote)
    return found


def _said(project: Project, name: str, items: Sequence[Item], workspace: Workspace) -> Said:
    from tunesmith.models.loading import load
    from tunesmith.models.resolve import resolve

    model: Any = load(resolve(name, workspace))
    way = _WAYS.get((project.task, model.kind))
    if way is None:
        raise UsageError("L14", name=name, kind=model.kind, task=project.task)
    return way(project, model, items)


def _texts(items: Sequence[Item]) -> list[str]:
    return [str(item.content["text"]) for item in items]


def _names(project: Project) -> list[str]:
    return [label.name for label in project.labels]


def _class(project: Project, model: Any, items: Sequence[Item]) -> Said:
    known, found = _names(project), []
    for row in model.predict(_texts(items)):
        label, score = model.labels[row.argmax()], float(row.max())
        found.append(({"label": label} if label in known else None, score))
    return found


def _several(project: Project, model: Any, items: Sequence[Item]) -> Said:
    known, found = _names(project), []
    for row in model.predict(_texts(items)):
        shares = dict(zip(model.labels, map(float, row), strict=True))
        labels = [name for name in known if shares.get(name, 0.0) >= _HALF]
        found.append(({"labels": labels}, max(shares.values())))
    return found


def _spans(project: Project, model: Any, items: Sequence[Item]) -> Said:
    known, found = _names(project), []
    for entities in model.tag(_texts(items)):
        own = [one for one in entities if one.label in known]
        spans = [{"start": one.start, "end": one.end, "label": one.label} for one in own]
        found.append(({"spans": spans}, min((float(one.probability) for one in own), default=_HALF)))
    return found


def _answer(_: Project, model: Any, items: Sequence[Item]) -> Said:
    questions = [str(item.content["question"]) for item in items]
    found = []
    for said in model.answer(questions, _texts(items)):
        answers = [{"start": said.start, "text": said.text}] if said.text else []
        found.append(({"answers": answers}, float(said.probability)))
    return found


def _hosted(project: Project, model: Any, items: Sequence[Item]) -> Said:
    """How sure it is a hosted model does not say: half."""
    from tunesmith.models.hosted import named

    found = []
    for text in _texts(items):
        turns = [{"role": "system", "content": prompt(project)}, {"role": "user", "content": text}]
        label = named(model.chat(turns), _names(project))
        found.append(({"label": label} if label in _names(project) else None, _HALF))
    return found


def prompt(project: Project) -> str:
    """What a hosted model is told before each text: the guideline, and the labels with what they mean."""
    meant = [f"- {one.name}: {one.meaning}" if one.meaning else f"- {one.name}" for one in project.labels]
    asked = "Classify the text. Answer with exactly one of these labels and nothing else:"
    return "\n\n".join(filter(None, [project.guideline.strip(), "\n".join([asked, *meant])]))


_WAYS: Mapping[tuple[str, str], Callable[[Project, Any, Sequence[Item]], Said]] = {
    (CLASS, "classifier"): _class,
    (CLASS, "tfidf"): _class,
    (CLASS, "hosted"): _hosted,
    (MULTILABEL, "classifier"): _several,
    (SPANS, "tagger"): _spans,
    (ANSWER, "reader"): _answer,
}
