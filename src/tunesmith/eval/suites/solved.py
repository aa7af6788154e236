"""The figure by which two models are compared on a suite, whatever its tasks are measured by."""

from __future__ import annotations

from tunesmith.core.errors import DataError
from tunesmith.eval.outcome import Outcome, SolvedOutcome
from tunesmith.eval.sums import Sums, hits, summed


@summed
def solved(outcome: Outcome) -> Sums:
    """Share of the questions of a suite that are answered right, from 0 to 1.

    Raises:
        DataError: C55 when the outcome is not that of a suite; E03 when it has no rows.
    """
    if not isinstance(outcome, SolvedOutcome):
        raise DataError("C55", metric="solved")
    if not len(outcome.right):
        raise DataError("E03", metric="solved")
    return hits(outcome.right)
