"""Texts as sets of their runs of five characters, hashed, and how much two such sets have in common.

Knows code points and hashes, in arrays of many texts at once; nothing of rows and files.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

WIDTH = 5
"""Characters in a shingle. A text with fewer has none."""

_FIRST, _SECOND = 0x9E3779B1, 0x85EBCA77  # odd constants of xxHash
_PAIR_BITS = 12
MOST_PAIRS = 1 << _PAIR_BITS
"""How many pairs `jaccard` compares at once."""


def codes(texts: pl.Series) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """All code points of the texts one after the other, and where each text starts (n + 1 offsets)."""
    joined = str(texts.str.join().item())
    starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(texts.str.len_chars().to_numpy(), out=starts[1:])
    return np.frombuffer(joined.encode("utf-32-le"), "<u4"), starts


def hashes(points: NDArray[np.uint32], *, multiplier: int = _FIRST) -> NDArray[np.uint32]:
    """One hash of every five neighbouring code points; shape [points - 4].

    A polynomial of the five in 32 bits, whose bits are then stirred so that each depends on all.
    """
    by = np.uint32(multiplier)
    twice = np.uint32(multiplier * multiplier & 0xFFFFFFFF)
    pairs = points[:-1] * by
    pairs += points[1:]
    mixed = pairs[:-3] * twice  # the first two of five ...
    mixed += pairs[2:-1]  # ... and the next two
    mixed *= by
    mixed += points[4:]
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0xC2B2AE3D)
    mixed ^= mixed >> np.uint32(13)
    return mixed


def spread(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers start, start + 1, ... of each stretch, one stretch after the other."""
    total = int(lengths.sum())
    before = np.cumsum(lengths) - lengths
    places = np.arange(total, dtype=np.int64)
    places += np.repeat(starts - before, lengths)
    return places


def jaccard(texts: pl.Series, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """The Jaccard index of the shingle sets of `texts[left[i]]` and `texts[right[i]]`, for each i.

    At most `MOST_PAIRS` pairs of texts of at least five characters. Shingles are told apart by 51 bits,
    which mistakes two of a thousand in one pair out of 10^9.
    """
    points, starts = codes(texts)
    wide = hashes(points).astype(np.uint64) << np.uint64(32)
    wide |= hashes(points, multiplier=_SECOND)
    wide >>= np.uint64(_PAIR_BITS + 1)
    marked = np.concatenate([_marked(wide, starts, left), _marked(wide, starts, right) | np.uint64(1)])
    marked.sort()
    marked = marked[_differs(marked)]
    pair_of = (marked >> np.uint64(64 - _PAIR_BITS)).astype(np.int64)
    shared = ~_differs(marked >> np.uint64(1))
    both = np.bincount(pair_of[shared], minlength=len(left))
    all_of_them = np.bincount(pair_of, minlength=len(left)) - both
    return both / all_of_them


def _marked(
    wide: NDArray[np.uint64], starts: NDArray[np.int64], chosen: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """The shingles of the chosen texts: pair in the highest bits, hash below, the lowest bit free."""
    lengths = starts[chosen + 1] - starts[chosen] - (WIDTH - 1)
    pair = np.repeat(np.arange(len(chosen), dtype=np.uint64), lengths)
    found = wide[spread(starts[chosen], lengths)] << np.uint64(1)
    return found | pair << np.uint64(64 - _PAIR_BITS)


def _differs(ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether each is another value than the one before it."""
    different = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=different[1:])
    return different


def stretches(
    sizes: NDArray[np.int64], most: int, *, most_of_them: int | None = None
) -> Iterator[tuple[int, int]]:
    """Ranges of neighbours whose sizes sum to at most `most`; one that is larger is alone."""
    ends = np.cumsum(sizes, dtype=np.int64)
    start, done = 0, 0
    while start < len(ends):
        stop = max(start + 1, int(np.searchsorted(ends, done + most, side="right")))
        stop = min(stop, start + (most_of_them or stop))
        yield start, stop
        start, done = stop, int(ends[stop - 1])
