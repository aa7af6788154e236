"""A small model that learns again and again while labels come in, each time from where it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tunesmith.core.store.labelling import Answer
from tunesmith.data.annotation import choosing
from tunesmith.data.annotation.choosing import Floats, Numbers
from tunesmith.workflow.labelling.linear import Linear, rows_of

LEAST = 10
"""So many labels there must be before a model learns, and at least so many come between two times."""

_GROWTH = 0.1
_COMMITTEE = 4
_COMPARED = 3000
"""So many items at most are compared with each other: a thousand take a second."""


def until_next(known: int) -> int:
    """How many labels come before the model learns again."""
    return max(LEAST, int(_GROWTH * known))


@dataclass(slots=True)
class Learner:
    """Logistic regression over `vectors` [items, features], dense or sparse, of all there is to label."""

    vectors: Any
    seed: int = 0
    _model: Linear = field(default_factory=Linear, repr=False)

    def fit(self, items: Numbers, labels: Sequence[Any]) -> None:
        """Learn from items and their labels, two at least, beginning with what was learned before."""
        self._model.fit(rows_of(self.vectors, items), np.asarray(labels, dtype=object))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that were seen."""
        return tuple(map(str, self._model.classes))

    def predict(self, items: Numbers) -> Floats:
        """Probabilities [items, labels], float32."""
        return self._model.predict(self.vectors[items])

    def answers(self, items: Numbers) -> list[tuple[Answer, float]]:
        """The likeliest answer for each item, and how likely it is."""
        return [({"label": self.labels[row.argmax()]}, float(row.max())) for row in self.predict(items)]

    def score(self, items: Numbers, labels: Sequence[Any]) -> float:
        """The macro F1 on items whose labels are known."""
        from sklearn.metrics import f1_score

        found = [answer["label"] for answer, _ in self.answers(items)]
        return float(f1_score(labels, found, average="macro", zero_division=0))

    def choose(
        self, order: str, items: Numbers, known: Numbers, labels: Sequence[Any], count: int
    ) -> Numbers:
        """The next of `items` to ask about, in the order of `choosing.ORDERS`; `known` have `labels`."""
        if order == "diversity":
            return self._spread(items, known, count)
        if order == "mixed":
            return self._mixed(items, known, labels, count)
        if order == "disagreement":
            unsure = self._disagreement(self._committee(items, known, labels))
        else:
            unsure = self._unsure(order, self.predict(items))
        return np.asarray(items[np.argsort(-unsure, kind="stable")[:count]])

    def _mixed(self, items: Numbers, known: Numbers, labels: Sequence[Any], count: int) -> Numbers:
        """What is typical as long as nearly nothing is known, then what is unsure and not all alike.

        So many at once as are labelled before the model learns again: the first are the same for any count.
        """
        found = [self._typical(items, known, min(count, max(0, choosing.COVERED - len(known))))]
        rest = np.setdiff1d(items, found[0], assume_unique=True)
        if not self.labels or not len(rest):
            return found[0]
        unsure, at_once = self._wanted(rest, known, labels), until_next(len(known))
        for _ in range(len(found[0]), min(count, len(items)), at_once):
            some = choosing.mixed(unsure, self.vectors, rest, at_once)
            found.append(rest[some])
            rest, unsure = np.delete(rest, some), np.delete(unsure, some)
        return np.concatenate(found)[:count]

    def _wanted(self, items: Numbers, known: Numbers, labels: Sequence[Any]) -> Floats:
        """How unsure items are and, once enough is known to tell, how rare the labels that they may have."""
        found = self.predict(items)
        unsure = self._unsure("mixed", found)
        if len(known) < choosing.FEW:
            return unsure
        return unsure * choosing.rarity(found, [self._times(label, labels) for label in self.labels])

    def _typical(self, items: Numbers, known: Numbers, count: int) -> Numbers:
        """Those of `items` that stand for most others and not for what is known; no model is needed."""
        if not count:
            return items[:0]
        some = np.random.default_rng(self.seed).permutation(items)[:_COMPARED]
        here = np.concatenate([known, some])
        return np.asarray(here[choosing.cover(self.vectors[here], np.arange(len(known)), count)])

    def _unsure(self, order: str, probabilities: Floats) -> Floats:
        return choosing.UNSURE[order](probabilities)

    def _times(self, label: str, labels: Sequence[Any]) -> int:
        """How many of the known items have a label."""
        return list(labels).count(label)

    def _disagreement(self, committee: Sequence[Floats]) -> Floats:
        return choosing.disagreement(committee)

    def _spread(self, items: Numbers, known: Numbers, count: int) -> Numbers:
        here = np.concatenate([known, items])
        found = choosing.spread(self.vectors[here], np.arange(len(known)), count)
        return np.asarray(here[found])

    def _committee(self, items: Numbers, known: Numbers, labels: Sequence[Any]) -> list[Floats]:
        """What models think that each saw another draw of what is known."""
        rng = np.random.default_rng(self.seed)
        always = self._one_of_each(labels)
        found = []
        for _ in range(_COMMITTEE):
            drawn = np.concatenate([rng.integers(len(known), size=len(known)), always])
            other = type(self)(self.vectors)
            other.fit(known[drawn], [labels[i] for i in drawn])
            found.append(other.predict(items))
        return found

    def _one_of_each(self, labels: Sequence[Any]) -> Numbers:
        """Places of labels that every model sees, so that all know the same ones."""
        return np.asarray(np.unique(np.asarray(labels).astype(str), return_index=True)[1], np.int64)
