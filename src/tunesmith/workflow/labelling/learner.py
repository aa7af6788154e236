"""A small model that learns again and again while labels come in, each time from where it was."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.data.annotation import choosing
from tunesmith.data.annotation.choosing import Floats, Numbers

_INVERSE_REGULARISATION = 10.0
_ITERATIONS = 25
_COMMITTEE = 4


@dataclass(slots=True)
class Learner:
    """Logistic regression over `vectors` [items, features], dense or sparse, of all there is to label."""

    vectors: Any
    seed: int = 0
    _model: Any = field(default=None, repr=False)

    def fit(self, items: Numbers, labels: Sequence[str]) -> None:
        """Learn from items and their labels, two at least, beginning with what was learned before."""
        known = None if self._model is None else tuple(self._model.classes_)
        if known != tuple(sorted(set(labels))):
            self._model = _regression()
        _fit(self._model, self.vectors[items], labels)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that were seen."""
        return tuple(map(str, self._model.classes_))

    def predict(self, items: Numbers) -> Floats:
        """Probabilities [items, labels], float32."""
        return np.asarray(self._model.predict_proba(self.vectors[items]), np.float32)

    def choose(
        self, order: str, items: Numbers, known: Numbers, labels: Sequence[str], count: int
    ) -> Numbers:
        """The next of `items` to ask about, in the order of `choosing.ORDERS`; `known` have `labels`."""
        if order == "diversity":
            return self._spread(items, known, count)
        if order == "disagreement":
            unsure = choosing.disagreement(self._committee(items, known, labels))
        else:
            unsure = choosing.UNSURE[order](self.predict(items))
        if order == "mixed":
            return np.asarray(items[choosing.mixed(unsure, self.vectors[items], count)])
        return np.asarray(items[np.argsort(-unsure, kind="stable")[:count]])

    def _spread(self, items: Numbers, known: Numbers, count: int) -> Numbers:
        here = np.concatenate([known, items])
        found = choosing.spread(self.vectors[here], np.arange(len(known)), count)
        return np.asarray(here[found])

    def _committee(self, items: Numbers, known: Numbers, labels: Sequence[str]) -> list[Floats]:
        """What models think that each saw another draw of what is known."""
        rng, given = np.random.default_rng(self.seed), np.asarray(labels, dtype=object)
        found = []
        for _ in range(_COMMITTEE):
            drawn = rng.integers(len(known), size=len(known))
            drawn = np.concatenate([drawn, _one_of_each(given)])
            model = _regression()
            _fit(model, self.vectors[known[drawn]], given[drawn])
            found.append(np.asarray(model.predict_proba(self.vectors[items]), np.float32))
        return found


def _one_of_each(labels: NDArray[np.object_]) -> Numbers:
    return np.asarray(np.unique(labels.astype(str), return_index=True)[1], np.int64)


def _regression() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=_INVERSE_REGULARISATION, max_iter=_ITERATIONS, warm_start=True)


def _fit(model: Any, vectors: Any, labels: Sequence[str] | NDArray[np.object_]) -> None:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Stopping early is meant: it goes on the next time.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # With many labels and few rows each: that is how it begins.
        warnings.filterwarnings("ignore", message="The number of unique classes")
        model.fit(vectors, np.asarray(labels, dtype=object))
