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

_COMMITTEE = 4


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
        if order == "disagreement":
            unsure = self._disagreement(self._committee(items, known, labels))
        else:
            found = self.predict(items)
            unsure = self._unsure(order, found)
        if order == "mixed" and len(known) < choosing.FEW:
            return np.asarray(items[choosing.mixed(unsure, self.vectors[items], count)])
        if order == "mixed":
            unsure = unsure * choosing.rarity(found, [self._times(label, labels) for label in self.labels])
            return np.asarray(items[choosing.mixed(unsure, self.vectors[items], count, pool_of=2)])
        return np.asarray(items[np.argsort(-unsure, kind="stable")[:count]])

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
