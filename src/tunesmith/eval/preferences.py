"""Metrics of preferences: which of two answers a model gives the higher reward."""

from __future__ import annotations

import numpy as np

from tunesmith.core.errors import DataError
from tunesmith.eval.outcome import Outcome, PreferenceOutcome
from tunesmith.eval.sums import Sums, mean, summed


@summed
def preference_accuracy(outcome: Outcome) -> Sums:
    """Share of pairs whose better answer has the higher reward, from 0 to 1; equal rewards count half.

    Raises:
        DataError: T31 when the outcome has no rewards; E03 when it has no rows.
    """
    better, worse = _rewarded(outcome, "preference_accuracy").rewards.T
    return mean(np.where(better == worse, 0.5, better > worse))


@summed
def reward_margin(outcome: Outcome) -> Sums:
    """By how much the better answer's reward is higher, on average, in nats.

    Raises:
        DataError: T31 when the outcome has no rewards; E03 when it has no rows.
    """
    better, worse = _rewarded(outcome, "reward_margin").rewards.astype(np.float64).T
    return mean(better - worse)


def _rewarded(outcome: Outcome, metric: str) -> PreferenceOutcome:
    if not isinstance(outcome, PreferenceOutcome):
        raise DataError("T31", metric=metric)
    if not len(outcome.rows):
        raise DataError("E03", metric=metric)
    return outcome
