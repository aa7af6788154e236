"""What a series may be drawn over: steps, time, tokens, epochs; and what series a training has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tunesmith.studio.series.known import Known, Numbers, Track

Axis = Literal["step", "time", "tokens", "epoch"]

_TRAINED = ("loss", "learning_rate", "grad_norm", "tokens_per_second", "seconds", "memory")
_NO_SERIES = ("step", "time")


def keys(known: Known, training: str) -> list[str]:
    """The names of all series of a training: `train/loss`, `validation/accuracy`."""
    train = known.track(training, "train")
    made = [f"train/{name}" for name in _TRAINED if values(train, name) is not None]
    judged = known.track(training, "validation").columns
    return made + [f"validation/{name}" for name in judged if name not in _NO_SERIES]


def find(known: Known, training: str, key: str) -> tuple[Track, Numbers]:
    """The track of one of `keys` and its values."""
    kind, _, name = key.partition("/")
    track = known.track(training, "train" if kind == "train" else "validation")
    found = values(track, name)
    return track, np.empty(0) if found is None else found


def values(track: Track, name: str) -> Numbers | None:
    """A column, or one that follows from others."""
    if name == "tokens_per_second":
        tokens, seconds = track.columns.get("tokens"), track.columns.get("seconds")
        if tokens is None or seconds is None:
            return None
        return tokens / np.where(seconds > 0, seconds, np.nan)
    return track.columns.get(name)


def along(known: Known, training: str, track: Track, axis: Axis) -> Numbers:
    """Where the rows of a track are on an axis: `time` in seconds since training began, `tokens` in sum."""
    if axis == "time" and "time" in track.columns:
        return np.maximum.accumulate(track.columns["time"] - _begin(known.track(training, "train")))
    return places(known, training, track.columns["step"], axis)


def places(known: Known, training: str, steps: Numbers | Sequence[int], axis: Axis) -> Numbers:
    """Where on an axis the training was after some steps."""
    train = known.track(training, "train")
    if axis == "step" or not len(train):
        return np.asarray(steps, dtype=np.float64)
    reached = {
        "time": train.columns["time"] - _begin(train),
        "tokens": np.cumsum(train.columns["tokens"]),
        "epoch": train.columns["epoch"],
    }[axis]
    rows = np.searchsorted(train.columns["step"], steps, side="right")
    return np.concatenate(([0.0], np.maximum.accumulate(reached)))[rows]


def _begin(train: Track) -> float:
    """When the first step began."""
    if not len(train):
        return 0.0
    return float(train.columns["time"][0] - train.columns["seconds"][0])
