"""From which probability on a row should have a label, where it may have several: chosen on other rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.eval.outcome import THRESHOLD, LabelsOutcome

_TRIED = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """From which probability on rows should have a label, by the validation part, and F1 here with it.

    `usual` is the F1 at one half.
    """

    label: str
    threshold: float
    f1: float
    usual: float


def thresholds(outcome: LabelsOutcome, validation: LabelsOutcome) -> tuple[Threshold, ...]:
    """For each label the threshold with the best F1 on the validation part, one half where none is better."""
    found = []
    for place, label in enumerate(outcome.labels):
        known = validation.labels.index(label) if label in validation.labels else None
        best = (
            THRESHOLD
            if known is None
            else _best(validation.targets[:, known], validation.probabilities[:, known])
        )
        sides = outcome.targets[:, place], outcome.probabilities[:, place]
        f1, usual = (_f1(*sides, each) for each in (best, THRESHOLD))
        found.append(Threshold(label=label, threshold=best, f1=f1, usual=usual))
    return tuple(found)


def _best(targets: NDArray[np.int8], shares: NDArray[np.floating[Any]]) -> float:
    scores = [(_f1(targets, shares, each), -abs(each - THRESHOLD), float(each)) for each in _TRIED]
    return round(max(scores)[2], 2)


def _f1(targets: NDArray[np.int8], shares: NDArray[np.floating[Any]], threshold: float) -> float:
    given = shares >= threshold
    both, all_ = float((given & (targets > 0)).sum()), float(given.sum() + targets.sum())
    return 2 * both / all_ if all_ else 0.0
