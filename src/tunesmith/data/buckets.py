"""Which pairs of rows to compare because they share a key, without a square of them where many do.

A pair is one number: the smaller row in the upper 32 bits, the larger in the lower.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint32] | NDArray[np.uint64] | NDArray[np.int64]

_MANY = 16
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Pairs to compare: `few` are all those of keys which few rows have, the others come from keys of many.

    `some` are worth comparing whatever is known; `chain` serves to connect rows that are not yet connected.
    """

    few: NDArray[np.int64]
    some: NDArray[np.int64]
    chain: NDArray[np.int64]


def candidates(
    rows: NDArray[np.int64],
    keys: NDArray[np.uint32],
    others: Iterable[NDArray[np.uint32]],
    sizes: NDArray[np.int64],
) -> Candidates:
    """Pairs of rows with the same key.

    Of many rows with one key, those are paired which have one of `others` (further keys of each row) in
    common, too. Where even these are many, each is paired with the largest of them, which is the one that
    stays when only one is kept, and with a neighbour. `sizes` are those of the rows.
    """
    order, crowds = _grouped(keys)
    few, crowd = order[(crowds > 1) & (crowds <= _MANY)], np.sort(order[crowds > _MANY])
    some, chain = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for other in others if len(crowd) else ():
        both = keys[crowd].astype(np.uint64) << np.uint64(32) | other[crowd]
        order, crowds = _grouped(both)
        pairs, many = order[(crowds > 1) & (crowds <= _MANY)], order[crowds > _MANY]
        some.append(_all_pairs(rows[crowd][pairs], both[pairs]))
        some.append(_star(rows[crowd][many], both[many], sizes[crowd][many]))
        chain.append(_neighbours(rows[crowd][many], both[many], 1))
    return Candidates(
        few=_all_pairs(rows[few], keys[few]), some=np.concatenate(some), chain=np.concatenate(chain)
    )


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
    return np.concatenate([_neighbours(rows, keys, lag) for lag in range(1, _MANY)])


def _neighbours(rows: NDArray[np.int64], keys: Keys, lag: int) -> NDArray[np.int64]:
    """Each row with the one `lag` places before it, if that has the same key; `keys` in order."""
    same = keys[lag:] == keys[:-lag]
    return pack(rows[:-lag][same], rows[lag:][same])


def _star(rows: NDArray[np.int64], keys: Keys, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each row with the largest of its key, the first of equally large; `keys` in order."""
    order = np.lexsort((rows, -sizes, keys))
    starts = _starts(keys)
    heads = np.repeat(rows[order[starts]], np.diff(np.append(starts, len(rows))))
    pairs: NDArray[np.int64] = pack(heads, rows)[rows != heads]
    return pairs
