"""Metrics as functions of sums over rows.

A mean is one of two sums, an F1 one of three. Sums of rows drawn again are a matrix product, so that a
thousand draws cost no more than a few measurements: intervals and paired tests come from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tunesmith.eval.outcome import Outcome, take

Numbers = NDArray[np.float64]
Metric = Callable[[Outcome], float]
_SUMS = "sums"
_REPEATABLE = "repeatable"
_WEIGHED = "weighed"

Drawn = Callable[[Numbers], Numbers]
"""How often each row was drawn, [draws, rows], to the metric of each draw [draws]."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What each row adds, `rows` [rows, k], and what the metric is of the sums: `total` [..., k] -> [...].

    `hits`: every row is right or wrong and the metric is the share that is right.
    """

    rows: Numbers
    total: Callable[[Numbers], Numbers]
    hits: bool = False

    @property
    def value(self) -> float:
        """The metric of all rows."""
        return float(self.total(self.rows.sum(axis=0)))


def summed(sums: Callable[[Outcome], Sums]) -> Metric:
    """Make a metric of a function that gives its sums."""

    @wraps(sums)
    def metric(outcome: Outcome) -> float:
        return sums(outcome).value

    setattr(metric, _SUMS, sums)
    return metric


def repeatable(metric: Metric) -> Metric:
    """Mark a metric that is no function of sums, but cheap enough to be measured a thousand times."""
    setattr(metric, _REPEATABLE, True)
    return metric


def weighed(drawn: Callable[[Outcome], Drawn]) -> Metric:
    """Make a metric of a function that gives it for any draws of the rows at once."""

    @wraps(drawn)
    def metric(outcome: Outcome) -> float:
        return float(drawn(outcome)(np.ones((1, len(outcome.rows))))[0])

    setattr(metric, _WEIGHED, drawn)
    return metric


def drawn_of(metric: Metric) -> Callable[[Outcome], Drawn] | None:
    """How a metric that is no function of sums is measured on draws of rows; None of one that is not."""
    found: Callable[[Outcome], Drawn] | None = getattr(metric, _WEIGHED, None)
    if found is None and getattr(metric, _REPEATABLE, False):
        return partial(_again, metric)
    return found


def _again(metric: Metric, outcome: Outcome) -> Drawn:
    places = np.arange(len(outcome.rows))

    def drawn(counts: Numbers) -> Numbers:
        draws = (np.repeat(places, times) for times in counts.astype(np.int64))
        return np.array([metric(take(outcome, draw)) for draw in draws])

    return drawn


def sums_of(metric: Callable[..., Any]) -> Callable[[Outcome], Sums] | None:
    """The sums that a metric is made of, if it is."""
    found: Callable[[Outcome], Sums] | None = getattr(metric, _SUMS, None)
    return found


def mean(values: ArrayLike, scale: float = 1.0) -> Sums:
    """The mean of one value for each row, times `scale`."""
    return ratio(values, np.ones(len(np.asarray(values))), scale)


def hits(right: ArrayLike) -> Sums:
    """The share of rows that are right."""
    found = mean(right)
    return Sums(found.rows, found.total, hits=True)


def ratio(above: ArrayLike, below: ArrayLike, scale: float = 1.0) -> Sums:
    """One sum divided by another, times `scale`; 0 where there is nothing to divide by."""
    return Sums(np.column_stack([above, below]).astype(np.float64), lambda s: scale * _ratio(s))


def _ratio(sums: Numbers) -> Numbers:
    return divided(sums[..., 0], sums[..., 1])


def divided(above: Numbers, below: Numbers) -> Numbers:
    """`above` / `below`, 0 where `below` is."""
    return np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below != 0)
