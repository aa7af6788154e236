"""Areas under curves: how well the probabilities of a label tell rows that have it from those that do not.

No sums over rows give an area, but with the rows in order of probability that of a thousand draws of them is
some running sums of how often each row was drawn.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tunesmith.eval.labels import likelihoods
from tunesmith.eval.outcome import Outcome
from tunesmith.eval.sums import Drawn, Numbers, divided, weighed

Area = Callable[[Numbers, Numbers], Numbers]
"""How many rows have the label and how many have not, from each probability upwards [draws, steps]."""


@weighed
def roc_auc(outcome: Outcome) -> Drawn:
    """Area under the receiver operating characteristic, the mean of all labels; 0.5 is chance (Fawcett 2006).

    Labels that all rows have, or none, are left out.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    return _mean(outcome, "roc_auc", _roc)


@weighed
def pr_auc(outcome: Outcome) -> Drawn:
    """Average precision, the mean of all labels, from 0 to 1: the area under precision over recall.

    Labels that all rows have, or none, are left out.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    return _mean(outcome, "pr_auc", _precision)


def _mean(outcome: Outcome, metric: str, area: Area) -> Drawn:
    targets, shares = likelihoods(outcome, metric)
    columns = [_ordered(targets[:, i] > 0, shares[:, i]) for i in range(targets.shape[1])]

    def drawn(counts: Numbers) -> Numbers:
        total, known = np.zeros(len(counts)), np.zeros(len(counts))
        for order, has, ends in columns:
            found = counts[:, order]
            with_it, without = (np.cumsum(found * side, axis=1)[:, ends] for side in (has, ~has))
            is_known = (with_it[:, -1] > 0) & (without[:, -1] > 0)
            total += np.where(is_known, area(with_it, without), 0)
            known += is_known
        return np.where(known > 0, divided(total, known), np.nan)

    return drawn


def _ordered(
    has: NDArray[np.bool_], shares: Numbers
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Rows from the likeliest down, which of them have the label, and where each probability ends."""
    order = np.argsort(-shares, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(shares[order])), len(order) - 1)
    return order, has[order], ends


def _roc(with_it: Numbers, without: Numbers) -> Numbers:
    """Trapezoids over the rows without the label."""
    wide = np.diff(without, axis=1, prepend=0)
    high = with_it - np.diff(with_it, axis=1, prepend=0) / 2
    return divided((wide * high).sum(axis=1), with_it[:, -1] * without[:, -1])


def _precision(with_it: Numbers, without: Numbers) -> Numbers:
    """The precision at each probability, as often as rows with the label stand there."""
    steps = np.diff(with_it, axis=1, prepend=0)
    return divided((steps * divided(with_it, with_it + without)).sum(axis=1), with_it[:, -1])
