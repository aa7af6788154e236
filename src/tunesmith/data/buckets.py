"""Which pairs of rows to compare because they share a key, without a square of them where many do.

A pair is one number: the smaller row in the upper 32 bits, the larger in the lower.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint32] | NDArray[np.uint64] | NDArray[np.int64]

_MANY = 8
"""Rows with one key; of more, not every pair is compared."""


def pack(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of rows as one number each."""
    return np.minimum(one, other) << 32 | np.maximum(one, other)


def unpack(pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The smaller and the larger row of each pair."""
    return pairs >> 32, pairs & 0xFFFFFFFF


def distinct(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each value once, in order: what `np.unique` gives, by a sort that is several times faster."""
    ordered = np.sort(pairs)
    return ordered[_starts(ordered)]


def without(pairs: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """The distinct pairs that are not among the known, which are distinct and in order."""
    pairs = distinct(pairs)
    if not len(known):
        return pairs
    places = np.searchsorted(known, pairs).clip(max=len(known) - 1)
    fresh: NDArray[np.int64] = pairs[known[places] != pairs]
    return fresh


def candidates(
    rows: NDArray[np.int64], keys: NDArray[np.uint32], others: Iterable[NDArray[np.uint32]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of rows with the same key: all of those few rows have, and some of those many have.

    Of many, those are paired which have one of `others` (further keys of each row) in common, too. Where
    even these are many, each is paired with the first of them and with a neighbour.
    """
    order, sizes = _grouped(keys)
    few, crowd = order[(sizes > 1) & (sizes <= _MANY)], np.sort(order[sizes > _MANY])
    some = [np.zeros(0, np.int64)]
    if len(crowd):
        for other in others:
            both = keys[crowd].astype(np.uint64) << np.uint64(32) | other[crowd]
            some += _within(rows[crowd], both)
    return _all_pairs(rows[few], keys[few]), distinct(np.concatenate(some))


def _within(rows: NDArray[np.int64], keys: Keys) -> list[NDArray[np.int64]]:
    order, sizes = _grouped(keys)
    few, many = order[(sizes > 1) & (sizes <= _MANY)], order[sizes > _MANY]
    return [_all_pairs(rows[few], keys[few]), _star_and_chain(rows[many], keys[many])]


def _grouped(keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places of the keys, ordered by key, and how many places have the key of each."""
    order = np.argsort(keys, kind="stable")
    starts = _starts(keys[order])
    sizes = np.diff(np.append(starts, len(order)))
    return order, np.repeat(sizes, sizes)


def _starts(ordered: Keys) -> NDArray[np.int64]:
    """Where each run of one value begins."""
    return np.flatnonzero(np.append(np.ones(min(1, len(ordered)), np.bool_), ordered[1:] != ordered[:-1]))


def _all_pairs(rows: NDArray[np.int64], keys: Keys) -> NDArray[np.int64]:
    """`keys` in order, each at most `_MANY` times."""
    found = [np.zeros(0, np.int64)]
    for lag in range(1, _MANY):
        same = keys[lag:] == keys[:-lag]
        found.append(pack(rows[:-lag][same], rows[lag:][same]))
    return np.concatenate(found)


def _star_and_chain(rows: NDArray[np.int64], keys: Keys) -> NDArray[np.int64]:
    """`keys` in order; each row with the first of its key, and with the row before it."""
    starts = _starts(keys)
    heads = np.repeat(rows[starts], np.diff(np.append(starts, len(rows))))
    same = keys[1:] == keys[:-1]
    return np.concatenate([pack(heads, rows)[rows != heads], pack(rows[:-1][same], rows[1:][same])])
