"""Logistic regression over few rows with many features, which goes on from where it was.

What a linear model with an L2 penalty learns lies in the span of its rows, so it is learned in as many
coordinates as there are rows: those of the Cholesky factor of their products. Nothing changes but the time,
which is a tenth and less where features are ten times the rows.
"""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.data.annotation.choosing import Floats, Numbers

_INVERSE_REGULARISATION = 10.0
_ITERATIONS = 25
# The same text twice would leave no triangle; products of rows are about 1.
_JITTER = 1e-6


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows [rows, features] by their `items`, and the same in coordinates [rows, at most rows]."""

    items: Numbers
    features: Any
    coordinates: Any
    is_compact: bool

    def weights(self, learned: NDArray[np.float64]) -> NDArray[np.float64]:
        """What was learned of the coordinates [labels, coordinates], as weights of features."""
        if not self.is_compact:
            return learned
        from scipy.linalg import solve_triangular

        shares = solve_triangular(self.coordinates, learned.T, lower=True, trans="T")  # [rows, labels]
        return np.asarray((self.features.T @ shares).T)


def rows_of(vectors: Any, items: Numbers) -> Rows:
    """Some rows of `vectors` [items, features], dense or sparse."""
    features = vectors[items]
    if len(items) >= vectors.shape[1]:
        return Rows(items, features, features, is_compact=False)
    exact = features.astype(np.float64)
    products = exact @ exact.T
    dense = np.asarray(products.toarray() if hasattr(products, "toarray") else products)
    dense[np.diag_indices_from(dense)] += _JITTER
    return Rows(items, features, np.linalg.cholesky(dense), is_compact=True)


@dataclass(slots=True)
class Linear:
    """One model: of coordinates while it learns, of features when it is asked."""

    _inner: Any = field(default=None, repr=False)
    _outer: Any = field(default=None, repr=False)
    _items: Numbers = field(default_factory=lambda: np.array([], np.int64), repr=False)
    _was_compact: bool = False

    def fit(self, rows: Rows, labels: NDArray[Any]) -> None:
        """Learn on, if rows were only added since; else from the beginning."""
        if self._inner is None or not self._goes_on(rows, labels):
            self._inner = _regression()
        elif rows.is_compact:
            # A further row is a further coordinate, which nothing was learned of yet.
            more = rows.coordinates.shape[1] - self._inner.coef_.shape[1]
            self._inner.coef_ = np.pad(self._inner.coef_, ((0, 0), (0, more)))
        _fit(self._inner, rows.coordinates, labels)
        self._items, self._was_compact = rows.items, rows.is_compact
        self._outer = copy.copy(self._inner)
        self._outer.coef_ = rows.weights(self._inner.coef_)
        self._outer.n_features_in_ = self._outer.coef_.shape[1]

    @property
    def classes(self) -> tuple[Any, ...]:
        """What it tells apart."""
        return () if self._inner is None else tuple(self._inner.classes_.tolist())

    def predict(self, features: Any) -> Floats:
        """Probabilities [rows, classes], float32."""
        return np.asarray(self._outer.predict_proba(features), np.float32)

    def _goes_on(self, rows: Rows, labels: NDArray[Any]) -> bool:
        if set(self.classes) != set(labels.tolist()) or rows.is_compact is not self._was_compact:
            return False
        return not rows.is_compact or np.array_equal(rows.items[: len(self._items)], self._items)


def _regression() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=_INVERSE_REGULARISATION, max_iter=_ITERATIONS, warm_start=True)


def _fit(model: Any, coordinates: Any, labels: NDArray[Any]) -> None:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Stopping early is meant: it goes on the next time.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # With many labels and few rows each: that is how it begins.
        warnings.filterwarnings("ignore", message="The number of unique classes")
        model.fit(coordinates, labels)
