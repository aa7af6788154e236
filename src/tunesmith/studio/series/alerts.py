"""What somebody who watches a training should look at, seen in its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np

from tunesmith.studio.series.known import Known, Numbers

Alarm = Literal["not_finite", "diverged", "plateau", "overfitting"]

# Means are over so many equal parts of the steps so far.
_PARTS = 20
_FEWEST_STEPS = 100
_DIVERGED = 1.5
# Less than this share of what was learned in all, in the last third.
_STILL = 0.01
_LOSSES = ("loss", "perplexity")
_WORSE_IN_A_ROW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesAlert:
    """Something to look at, since which step of which training."""

    kind: Alarm
    training: str
    step: int


# What was seen in columns that are still in memory: whoever zooms asks again and again.
_seen: WeakKeyDictionary[Known, list[SeriesAlert]] = WeakKeyDictionary()


def alerts(known: Known) -> list[SeriesAlert]:
    """All that is to be seen, training by training."""
    if known not in _seen:
        _seen[known] = [alert for training in known.trainings for alert in _of(known, training)]
    return _seen[known]


def _of(known: Known, training: str) -> Iterator[SeriesAlert]:
    train = known.track(training, "train")
    loss = train.columns.get("loss")
    if loss is None:
        return
    steps = train.columns["step"]
    broken = np.flatnonzero(~np.isfinite(loss))
    if len(broken):
        yield SeriesAlert(kind="not_finite", training=training, step=int(steps[broken[0]]))
    found = _course(steps, loss)
    if found is not None:
        yield SeriesAlert(kind=found[0], training=training, step=found[1])
    worse = _overfitting(known, training)
    if worse is not None:
        yield SeriesAlert(kind="overfitting", training=training, step=worse)


def _course(steps: Numbers, loss: Numbers) -> tuple[Alarm, int] | None:
    """Whether the loss rose far above its lowest, or fell no more in the last third."""
    if len(loss) < _FEWEST_STEPS:
        return None
    edges = np.linspace(0, len(loss), _PARTS + 1).astype(int)
    means = np.array([_middle(loss[begin:end]) for begin, end in pairwise(edges)])
    lowest = int(np.nanargmin(means)) if np.isfinite(means).any() else 0
    if means[-1] > _DIVERGED * means[lowest] > 0:
        return "diverged", int(steps[edges[lowest + 1] - 1])
    third = _PARTS * 2 // 3
    learned, lately = means[0] - means.min(), means[third] - means[-1]
    if learned > 0 and lately < _STILL * learned:
        return "plateau", int(steps[edges[third]])
    return None


def _middle(values: Numbers) -> float:
    """The median of the numbers: one spike is no course."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan


def _overfitting(known: Known, training: str) -> int | None:
    """The step from which the loss of the validation part only rose, several times."""
    track = known.track(training, "validation")
    name = next((name for name in _LOSSES if name in track.columns), None)
    if name is None:
        return None
    values = track.columns[name]
    lowest = int(np.nanargmin(values)) if np.isfinite(values).any() else 0
    after = values[lowest:]
    if len(after) <= _WORSE_IN_A_ROW or not (np.diff(after) > 0).all():
        return None
    return int(track.columns["step"][lowest])
