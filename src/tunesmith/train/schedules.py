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


def wsd(
    progress: float,
    *,
    warmup: Share = 0.06,
    decay: Share = 0.2,
    floor: Annotated[float, Ge(0), Le(1)] = 0.0,
) -> float:
    """Warm-up, stable, decay (Hu et al. 2024): the full rate, and a line down to `floor` in the end."""
    begins = max(warmup, 1 - decay)
    if progress <= begins:
        return _warm(progress, warmup)
    return floor + (1 - floor) * (1 - progress) / (1 - begins)


def one_cycle(progress: float, *, warmup: Share = 0.3, start: Annotated[float, Ge(0), Le(1)] = 0.04) -> float:
    """Up from `start` along half a cosine for `warmup` of the steps, then down to zero (Smith 2018)."""
    if progress < warmup:
        return start + (1 - start) * (1 - math.cos(math.pi * progress / warmup)) / 2
    return (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup))) / 2


def _warm(progress: float, warmup: float) -> float:
    return min(1.0, progress / warmup) if warmup else 1.0
