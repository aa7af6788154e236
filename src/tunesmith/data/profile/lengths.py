"""Lengths of all rows, four bytes each: exact quantiles, a histogram, and what does not fit a context."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)

_BINS = 60
# What lies beyond this share of rows goes into one last bin, unless it is near.
_MOST = 0.995


class Lengths:
    """Numbers of characters, tokens or anything counted, in the order in which they came."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.int32]] = []

    def add(self, values: Iterable[int] | NDArray[Any]) -> None:
        """Take the lengths of a batch."""
        self._parts.append(np.fromiter(values, dtype=np.int32))

    def values(self) -> NDArray[np.int32]:
        """All of them."""
        if len(self._parts) != 1:
            self._parts = [np.concatenate([np.empty(0, np.int32), *self._parts])]
        return self._parts[0]


def described(values: NDArray[np.int32]) -> dict[str, Any]:
    """Number, sum, mean, quantiles (values that occur) and a histogram."""
    if not len(values):
        return {"count": 0, "total": 0, "mean": None, "quantiles": {}, "histogram": None}
    return {
        "count": len(values),
        "total": int(values.sum(dtype=np.int64)),
        "mean": round(float(values.mean(dtype=np.float64)), 2),
        "quantiles": quantiles(values),
        "histogram": histogram(values),
    }


def quantiles(values: NDArray[Any]) -> dict[str, int | float]:
    """The quantiles of `QUANTILES`, by the inverse of the empirical distribution."""
    found = np.quantile(values, QUANTILES, method="inverted_cdf").tolist()
    return {f"{q:g}": value for q, value in zip(QUANTILES, found, strict=True)}


def histogram(values: NDArray[np.int32]) -> dict[str, Any]:
    """Bins of one round width, at most about 60.

    `start` and `width` place the bins; `counts[i]` is of the values in [start + i * width, start + (i + 1)
    * width); `beyond` counts what is larger than all bins.
    """
    low, high, most = int(values.min()), int(values.max()), float(np.quantile(values, _MOST))
    end = high if high <= 1.4 * most else most
    start = low if low > 0.5 * end else 0
    width = _round_width((end - start) / _BINS)
    bins = int((end - start) // width) + 1
    places = (values.astype(np.int64) - start) // width
    counts = np.bincount(np.minimum(places, bins), minlength=bins + 1).tolist()
    return {"start": start, "width": width, "counts": counts[:bins], "beyond": counts[bins]}


def _round_width(width: float) -> int:
    if width <= 1:
        return 1
    power = 10.0 ** math.floor(math.log10(width))
    return math.ceil(next(power * m for m in (1, 2, 5, 10) if power * m >= width))


def truncation(tokens: NDArray[np.int32], context: int) -> dict[str, Any]:
    """How many rows are longer than `context`, and how many tokens would be cut off."""
    over = tokens[tokens > context].astype(np.int64) - context
    total = int(tokens.sum(dtype=np.int64))
    return {
        "context": context,
        "truncated": len(over),
        "truncated_share": len(over) / max(1, len(tokens)),
        "lost": int(over.sum()),
        "lost_share": int(over.sum()) / max(1, total),
    }
