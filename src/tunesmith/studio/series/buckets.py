"""A long series as few points that hide nothing: the lowest, the highest and the last of each bucket.

Buckets hold a power of two of rows, counted from the first row: they stay as they are while a series grows
and while one moves along it, so that peaks do not jump (as with samples and LTTB).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.studio.series.known import Numbers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Buckets:
    """Columns [points]; `x` is that of the last row of each. `broken`: x of those with a NaN.

    `rows` is how many rows there are in the range; `size` how many are in one bucket.
    """

    x: Numbers
    low: Numbers
    high: Numbers
    last: Numbers
    broken: Numbers
    rows: int
    size: int


def buckets(x: Numbers, y: Numbers, points: int, first: float | None, final: float | None) -> Buckets:
    """The rows whose `x`, which rises, is from `first` to `final`, as at most about `points` buckets."""
    begin = 0 if first is None else max(0, int(np.searchsorted(x, first)) - 1)
    end = len(x) if final is None else min(len(x), int(np.searchsorted(x, final, side="right")) + 1)
    size = _size(end - begin, points)
    begin -= begin % size
    end = min(len(x), -(-end // size) * size)
    return _divided(x[begin:end], y[begin:end], size)


def _size(rows: int, points: int) -> int:
    size = 1
    while rows > points * size:
        size *= 2
    return size


def _divided(x: Numbers, y: Numbers, size: int) -> Buckets:
    if not len(x):
        nothing = np.empty(0)
        return Buckets(x=nothing, low=nothing, high=nothing, last=nothing, broken=nothing, rows=0, size=size)
    finite: NDArray[np.bool_] = np.isfinite(y)
    numbers = np.where(finite, y, np.nan)
    starts = np.arange(0, len(x), size)
    ends = np.append(starts[1:], len(x)) - 1
    return Buckets(
        x=x[ends],
        low=np.fmin.reduceat(numbers, starts),
        high=np.fmax.reduceat(numbers, starts),
        last=numbers[ends],
        broken=x[ends][~np.logical_and.reduceat(finite, starts)],
        rows=len(x),
        size=size,
    )
