"""Whether probabilities mean what they say: of rows that are given 0.8, eight in ten should be right.

The expected calibration error is over fifteen bins of equal width (Guo et al. 2017, "On Calibration of
Modern Neural Networks"); the temperature by which logits are divided is fitted on the validation part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.eval.metrics import labelled, lower_is_better
from tunesmith.eval.outcome import LabelOutcome, Outcome

BINS = 15
_STEPS = 20
_RANGE = (0.05, 20.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Rows whose likeliest label has a probability in one bin: how many, their mean, the share right."""

    rows: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """What is right of the surest `coverage` of the rows, those from the probability `threshold` on."""

    coverage: float
    accuracy: float
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How far probabilities can be believed.

    `error` is the expected calibration error. `temperature` was fitted on the validation part, whose labels
    are not those judged here, and `scaled_error` is what is left with it; None where there was no such part.
    """

    error: float
    bins: tuple[Bin, ...]
    abstention: tuple[Covered, ...]
    temperature: float | None = None
    scaled_error: float | None = None


@lower_is_better
def calibration_error(outcome: Outcome) -> float:
    """Mean distance of the probability of the likeliest label and the share that is right, from 0 to 1.

    Over fifteen bins of equal width, weighed by their rows (Naeini et al. 2015; Guo et al. 2017). It has no
    interval: drawn rows are never as well calibrated as those they are drawn from.

    Raises:
        DataError: E01 when the outcome has no labels; E03 when it has no rows.
    """
    found = labelled(outcome, "calibration_error")
    return _error(_bins(found.probabilities, found.targets), len(found.targets))


def calibration(outcome: LabelOutcome, validation: LabelOutcome | None = None) -> Calibration:
    """The figures of an outcome that has rows; `validation` is what the same model says of its own part."""
    bins = _bins(outcome.probabilities, outcome.targets)
    rows = len(outcome.targets)
    found = Calibration(error=_error(bins, rows), bins=tuple(bins), abstention=tuple(_covered(outcome)))
    if validation is None or not len(validation.targets):
        return found
    degree = temperature(validation)
    scaled = _bins(cooled(outcome.probabilities, degree), outcome.targets)
    return Calibration(
        error=found.error,
        bins=found.bins,
        abstention=found.abstention,
        temperature=degree,
        scaled_error=_error(scaled, rows),
    )


def temperature(outcome: LabelOutcome) -> float:
    """By what logits are divided for the least log loss, within a twentieth and twenty (Guo et al. 2017)."""
    from scipy.optimize import minimize_scalar

    logits, rows = _logits(outcome.probabilities), np.arange(len(outcome.targets))

    def loss(exponent: float) -> float:
        scaled = logits / np.exp(exponent)
        top = scaled.max(axis=1)
        norm = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float((norm - scaled[rows, outcome.targets]).mean())

    bounds = tuple(float(np.log(bound)) for bound in _RANGE)
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def cooled(probabilities: NDArray[np.floating[Any]], degree: float) -> NDArray[np.float64]:
    """Probabilities [rows, labels] as if their logits had been divided by `degree`."""
    scaled = _logits(probabilities) / degree
    scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))


def _logits(probabilities: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Logarithms of probabilities, which are logits but for one number in each row."""
    return np.log(np.maximum(probabilities.astype(np.float64), np.finfo(np.float32).tiny))


def _bins(probabilities: NDArray[np.floating[Any]], targets: NDArray[np.integer[Any]]) -> list[Bin]:
    """The bins that have rows, from the least sure to the surest."""
    sure = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == targets
    places = np.minimum((sure * BINS).astype(int), BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    sums = [np.bincount(places, weights=each, minlength=BINS) for each in (sure, right)]
    return [
        Bin(rows=int(n), confidence=float(s / n), accuracy=float(r / n))
        for n, s, r in zip(counts, *sums, strict=True)
        if n
    ]


def _error(bins: Sequence[Bin], rows: int) -> float:
    return sum(each.rows / rows * abs(each.confidence - each.accuracy) for each in bins)


def _covered(outcome: LabelOutcome) -> list[Covered]:
    """Accuracy on the surest twentieth of the rows, the surest tenth and so on, to all of them."""
    sure = outcome.probabilities.max(axis=1)
    order = np.argsort(-sure, kind="stable")
    right = (outcome.predicted == outcome.targets)[order]
    ends = np.unique(np.ceil(len(order) * np.arange(1, _STEPS + 1) / _STEPS).astype(int))
    return [
        Covered(
            coverage=end / len(order),
            accuracy=float(right[:end].mean()),
            threshold=float(sure[order[end - 1]]),
        )
        for end in ends
    ]
