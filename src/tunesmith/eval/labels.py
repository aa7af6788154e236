"""Metrics of labels beyond the usual ones, equal to those of scikit-learn; they are measured when asked for.

`targets` and `predicted` are [rows], probabilities [rows, labels].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.eval.metrics import flags, labelled, lower_is_better
from tunesmith.eval.outcome import LabelsOutcome, Outcome
from tunesmith.eval.sums import Numbers, Sums, divided, hits, mean, summed


@summed
def balanced_accuracy(outcome: Outcome) -> Sums:
    """Mean of the recall of every label that is a target, from 0 to 1 (Brodersen et al. 2010).

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    labelled(outcome, "balanced_accuracy")
    targets, predicted = flags(outcome, "balanced_accuracy")
    labels = targets.shape[1]

    def total(sums: Numbers) -> Numbers:
        right, there = sums[..., :labels], sums[..., labels:]
        return divided(divided(right, there).sum(axis=-1), (there > 0).sum(axis=-1))

    return Sums(np.hstack([targets & predicted, targets]).astype(np.float64), total)


@summed
def weighted_f1(outcome: Outcome) -> Sums:
    """Mean of the F1 of every label, weighed by its rows, from 0 to 1.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    targets, predicted = flags(outcome, "weighted_f1")
    labels = targets.shape[1]

    def total(sums: Numbers) -> Numbers:
        right, there = sums[..., :labels], sums[..., labels : 2 * labels]
        f1 = 2 * divided(right, there + sums[..., 2 * labels :])
        return divided((f1 * there).sum(axis=-1), there.sum(axis=-1))

    return Sums(np.hstack([targets & predicted, targets, predicted]).astype(np.float64), total)


@summed
def mcc(outcome: Outcome) -> Sums:
    """Matthews' correlation of targets and predictions, from -1 to 1; 0 is chance (Gorodkin 2004).

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    found = labelled(outcome, "mcc")
    targets, predicted = flags(outcome, "mcc")
    labels = targets.shape[1]

    def total(sums: Numbers) -> Numbers:
        right, there, given = sums[..., 0], sums[..., 1 : labels + 1], sums[..., labels + 1 :]
        rows = there.sum(axis=-1)
        spread = [rows**2 - (side**2).sum(axis=-1) for side in (there, given)]
        together = right * rows - (there * given).sum(axis=-1)
        return divided(together, np.sqrt(spread[0] * spread[1]))

    right = found.targets == found.predicted
    return Sums(np.column_stack([right, targets, predicted]).astype(np.float64), total)


@lower_is_better
@summed
def log_loss(outcome: Outcome) -> Sums:
    """Mean negative logarithm of the probability of the right label, in nats; 0 is the least.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    found = labelled(outcome, "log_loss")
    right = found.probabilities[np.arange(len(found.targets)), found.targets]
    # Nothing is impossible: 0 is taken for the least number that, added to one, makes a difference.
    return mean(-np.log(np.maximum(right, np.finfo(right.dtype).eps).astype(np.float64)))


@summed
def top_3_accuracy(outcome: Outcome) -> Sums:
    """Share of rows whose right label is among the three likeliest, from 0 to 1.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    return _top(outcome, 3, "top_3_accuracy")


@summed
def top_5_accuracy(outcome: Outcome) -> Sums:
    """Share of rows whose right label is among the five likeliest, from 0 to 1.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    return _top(outcome, 5, "top_5_accuracy")


def _top(outcome: Outcome, count: int, metric: str) -> Sums:
    found = labelled(outcome, metric)
    likeliest = np.argsort(found.probabilities, axis=1, kind="stable")[:, ::-1][:, :count]
    return hits((likeliest == found.targets[:, None]).any(axis=1))


@summed
def jaccard(outcome: Outcome) -> Sums:
    """Mean share of the labels of a row, in the data or given, that are in both, from 0 to 1.

    Rows without any label on either side are right.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    targets, predicted = flags(outcome, "jaccard")
    either = (targets | predicted).sum(axis=1).astype(np.float64)
    both = (targets & predicted).sum(axis=1).astype(np.float64)
    return mean(np.where(either > 0, divided(both, either), 1.0))


def likelihoods(outcome: Outcome, metric: str) -> tuple[NDArray[np.int8], Numbers]:
    """Targets as 0 and 1 and probabilities, both [rows, labels], of one label for each row or of several.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    targets, _ = flags(outcome, metric)
    if isinstance(outcome, LabelsOutcome):
        return targets, outcome.probabilities.astype(np.float64)
    return targets, labelled(outcome, metric).probabilities.astype(np.float64)
