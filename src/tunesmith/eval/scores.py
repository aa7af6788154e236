"""How near the numbers of a model are to those in the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.errors import DataError
from tunesmith.eval.metrics import lower_is_better
from tunesmith.eval.outcome import Outcome, ScoreOutcome, SimilarityOutcome
from tunesmith.eval.sums import Sums, divided, mean, repeatable, summed

Numbers = NDArray[np.float64]


@repeatable
def pearson(outcome: Outcome) -> float:
    """Linear correlation, from -1 to 1; 0 where one side is the same everywhere.

    Raises:
        DataError: M85 when the outcome has no numbers; E03 when it has no rows.
    """
    return _correlation(*_numbers(outcome, "pearson"))


@repeatable
def spearman(outcome: Outcome) -> float:
    """Correlation of the ranks, from -1 to 1; 0 where one side is the same everywhere (Spearman 1904).

    Raises:
        DataError: M85 when the outcome has no numbers; E03 when it has no rows.
    """
    from scipy.stats import rankdata

    targets, predicted = _numbers(outcome, "spearman")
    return _correlation(rankdata(targets), rankdata(predicted))


@lower_is_better
@summed
def mae(outcome: Outcome) -> Sums:
    """Mean absolute error, in the units of the data.

    Raises:
        DataError: M85 when the outcome has no numbers; E03 when it has no rows.
    """
    targets, predicted = _numbers(outcome, "mae")
    return mean(np.abs(targets - predicted))


@lower_is_better
@summed
def rmse(outcome: Outcome) -> Sums:
    """Root of the mean squared error, in the units of the data.

    Raises:
        DataError: M85 when the outcome has no numbers; E03 when it has no rows.
    """
    targets, predicted = _numbers(outcome, "rmse")
    squares = mean((targets - predicted) ** 2)
    return Sums(squares.rows, lambda sums: np.sqrt(squares.total(sums)))


@summed
def r2(outcome: Outcome) -> Sums:
    """Share of the spread of the numbers that is explained; 1 is all, below 0 the mean would be better.

    Where all numbers are the same it is 0, or 1 when nothing is wrong.

    Raises:
        DataError: M85 when the outcome has no numbers; E03 when it has no rows.
    """
    targets, predicted = _numbers(outcome, "r2")
    wrong, apart = (targets - predicted) ** 2, targets - targets.mean()

    def total(sums: Numbers) -> Numbers:
        spread = sums[..., 1] - divided(sums[..., 2] ** 2, sums[..., 3])
        return np.where(spread > 1e-12 * sums[..., 1], 1 - divided(sums[..., 0], spread), sums[..., 0] == 0)

    return Sums(np.column_stack([wrong, apart**2, apart, np.ones(len(apart))]), total)


def _correlation(one: Numbers, other: Numbers) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / size if size else 0.0


def _numbers(outcome: Outcome, metric: str) -> tuple[Numbers, Numbers]:
    if not isinstance(outcome, ScoreOutcome | SimilarityOutcome):
        raise DataError("M85", metric=metric)
    if not len(outcome.targets):
        raise DataError("E03", metric=metric)
    return outcome.targets.astype(np.float64), outcome.predicted.astype(np.float64)
