"""Learning-rate schedules: the factor on the learning rate as a function of progress in [0, 1]."""

from __future__ import annotations

import math
from typing import Annotated

from annotated_types import Ge, Le, Lt

Share = Annotated[float, Ge(0), Lt(1)]


def constant(progress: float, *, warmup: Share = 0.0) -> float:
    """The full rate after a linear warm-up over the first `warmup` of the steps."""
    return _warm(progress, warmup)


def linear(progress: float, *, warmup: Share = 0.06) -> float:
    """Warm-up, then down to zero in a line."""
    return _warm(progress, warmup) if progress < warmup else (1 - progress) / (1 - warmup)


def cosine(progress: float, *, warmup: Share = 0.06, floor: Annotated[float, Ge(0), Le(1)] = 0.0) -> float:
    """Warm-up, then down to `floor` along half a cosine (Loshchilov and Hutter 2017)."""
    if progress < warmup:
        return _warm(progress, warmup)
    along = (progress - warmup) / (1 - warmup)
    return floor + (1 - floor) * (1 + math.cos(math.pi * along)) / 2


def _warm(progress: float, warmup: float) -> float:
    return min(1.0, progress / warmup) if warmup else 1.0
