"""The small model for items with any number of labels: each label is decided on by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tunesmith.core.store.labelling import Answer
from tunesmith.data.annotation import choosing
from tunesmith.data.annotation.choosing import Floats, Numbers
from tunesmith.workflow.labelling.learner import Learner
from tunesmith.workflow.labelling.linear import Linear, rows_of

_HALF = 0.5


@dataclass(slots=True)
class SeveralLearner(Learner):
    """A logistic regression for each label, over the same vectors; `labels` of an item are a tuple."""

    _models: dict[str, Linear] = field(default_factory=dict[str, Linear], repr=False)
    _shares: dict[str, float] = field(default_factory=dict[str, float], repr=False)

    def fit(self, items: Numbers, labels: Sequence[Any]) -> None:
        """Learn every label that was seen, beginning with what was learned before."""
        rows = rows_of(self.vectors, items)
        seen = sorted({label for some in labels for label in some})
        self._models = {label: self._models[label] for label in seen if label in self._models}
        for label in seen:
            has = np.array([label in some for some in labels])
            self._shares[label] = float(has.mean())
            if not has.all():
                self._models.setdefault(label, Linear()).fit(rows, has)
            else:
                self._models.pop(label, None)
        self._shares = {label: self._shares[label] for label in seen}

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that were seen."""
        return tuple(self._shares)

    def predict(self, items: Numbers) -> Floats:
        """Of each label its own probability, [items, labels], float32."""
        found = np.empty((len(items), len(self._shares)), np.float32)
        vectors = self.vectors[items]
        for place, (label, share) in enumerate(self._shares.items()):
            model = self._models.get(label)
            found[:, place] = share if model is None else model.predict(vectors)[:, 1]
        return found

    def answers(self, items: Numbers) -> list[tuple[Answer, float]]:
        """The labels that are likelier than not; as sure as the least sure of all decisions."""
        found: list[tuple[Answer, float]] = []
        for row in self.predict(items):
            labels = [label for label, share in zip(self.labels, row, strict=True) if share >= _HALF]
            found.append(({"labels": labels}, float(np.maximum(row, 1 - row).min())))
        return found

    def score(self, items: Numbers, labels: Sequence[Any]) -> float:
        """The mean F1 of the labels."""
        from sklearn.metrics import f1_score

        names = sorted({*self.labels, *(label for some in labels for label in some)})
        said = [answer["labels"] for answer, _ in self.answers(items)]
        truth, found = ([[name in some for name in names] for some in side] for side in (labels, said))
        return float(f1_score(truth, found, average="macro", zero_division=0))

    def _unsure(self, order: str, probabilities: Floats) -> Floats:
        """As unsure as the label that is decided on least surely."""
        return np.asarray(
            _by_label(choosing.UNSURE[order](_binary(probabilities)), probabilities).max(1), np.float32
        )

    def _times(self, label: str, labels: Sequence[Any]) -> int:
        return sum(label in some for some in labels)

    def _disagreement(self, committee: Sequence[Floats]) -> Floats:
        apart = choosing.disagreement([_binary(one) for one in committee])
        return np.asarray(_by_label(apart, committee[0]).mean(1), np.float32)

    def _one_of_each(self, labels: Sequence[Any]) -> Numbers:
        first: dict[str, int] = {}
        for place, some in enumerate(labels):
            for label in some:
                first.setdefault(label, place)
        return np.array(sorted(set(first.values())), np.int64)


def _binary(probabilities: Floats) -> Floats:
    """Each label as a choice of two, [items * labels, 2]."""
    return np.stack([probabilities, 1 - probabilities], axis=-1).reshape(-1, 2)


def _by_label(figures: Floats, like: Floats) -> Floats:
    return figures.reshape(like.shape)
