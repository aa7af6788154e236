"""Band keys: a few numbers per text such that similar texts have at least one in common.

One-permutation MinHash (Li, Owen and Zhang 2012) whose empty bins are filled by optimal densification
(Shrivastava 2017), cut into bands (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tunesmith.data.shingles import WIDTH, codes, hashes, stretches

BINS = 120
RECALL = 0.995
"""Share of the pairs just at the threshold which must have a band key in common."""

_EMPTY = np.uint32(0xFFFFFFFF)
_CHARACTERS = 1 << 17  # of texts hashed at once: what then lies in memory fits a second-level cache
_FEW = BINS // 2  # bins filled; below it, asking one bin after the other takes long


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """`count` bands of `rows` bins each."""

    count: int
    rows: int


def bands_for(threshold: float) -> Bands:
    """The most selective cut of the bins that still finds `RECALL` of the pairs at this Jaccard index."""
    for rows in range(BINS, 1, -1):
        count = BINS // rows
        if 1 - (1 - threshold**rows) ** count >= RECALL:
            return Bands(count=count, rows=rows)
    return Bands(count=BINS, rows=1)


def band_keys(texts: pl.Series, bands: Bands) -> NDArray[np.uint32]:
    """The keys of texts of at least five characters; shape [bands, texts]."""
    sizes = texts.str.len_chars().to_numpy()
    parts = [texts[start:stop] for start, stop in stretches(sizes, _CHARACTERS)]
    keys = [_keys(signatures(part), bands) for part in parts]
    return np.concatenate(keys, axis=1) if keys else np.empty((bands.count, 0), np.uint32)


def signatures(texts: pl.Series) -> NDArray[np.uint32]:
    """The smallest hash in each bin of each text, empty bins filled; shape [texts, bins]."""
    points, starts = codes(texts)
    lengths = np.diff(starts) - (WIDTH - 1)
    within = np.ones(len(points), np.bool_)
    within[starts[1:, None] - np.arange(1, WIDTH)] = False  # a shingle that began there would leave its text
    hashed = hashes(points)[within[: 1 - WIDTH]]
    bin_of = (hashed >> np.uint32(16)) * np.uint32(BINS) >> np.uint32(16)
    hashed *= np.uint32(0x27D4EB2F)  # another order than the one that chose the bin
    cell = np.repeat(np.arange(len(texts)) * BINS, lengths)
    cell += bin_of
    smallest = np.full(len(texts) * BINS, _EMPTY, np.uint32)
    np.minimum.at(smallest, cell, hashed)
    return _densified(smallest.reshape(-1, BINS))


def _densified(smallest: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Every empty bin takes the value of the first filled bin in an order of its own."""
    filled = smallest != _EMPTY
    occupied = filled.sum(axis=1)
    dense = smallest.copy()
    few = np.flatnonzero(occupied < _FEW)
    dense[few] = _from_filled(smallest[few], filled[few])
    some = np.flatnonzero((occupied >= _FEW) & (occupied < BINS))
    dense[some] = _from_asking(smallest[some], filled[some])
    return dense


@cache
def _orders() -> NDArray[np.int64]:
    """The order in which each bin asks all bins for a value, itself first; shape [turn, asking]."""
    ranks = np.random.default_rng(2017).permuted(np.tile(np.arange(BINS), (BINS, 1)), axis=1)
    np.fill_diagonal(ranks, -1)
    return np.ascontiguousarray(np.argsort(ranks, axis=1).T)


@cache
def _ranks() -> NDArray[np.uint16]:
    """[asked, asking]: the asked bin in the low seven bits, its place in the order above them."""
    ranks = np.argsort(_orders(), axis=0)
    return (ranks * 128 + np.arange(BINS)[:, None]).astype(np.uint16)


def _from_filled(smallest: NDArray[np.uint32], filled: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Densification by finding, for each bin, the best of the few that are filled."""
    occupied = filled.sum(axis=1)
    fullest = np.argsort(-occupied)
    occupied, smallest = occupied[fullest], smallest[fullest]
    asked = np.flatnonzero(filled[fullest]) % BINS
    first = np.cumsum(occupied) - occupied
    best = np.full(smallest.shape, 0xFFFF, np.uint16)
    ranks = np.empty_like(best)
    for turn in range(occupied.max(initial=0)):
        # Rows are ordered so that those with a bin left to look at come first.
        left = int(np.count_nonzero(occupied > turn))
        _ranks().take(asked[first[:left] + turn], axis=0, out=ranks[:left], mode="clip")
        np.minimum(best[:left], ranks[:left], out=best[:left])
    cell = (best & 127) + np.arange(0, smallest.size, BINS)[:, None]
    dense = np.empty_like(smallest)
    dense[fullest] = smallest.ravel().take(cell)
    return dense


def _from_asking(smallest: NDArray[np.uint32], filled: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Densification by letting each empty bin ask one after the other: soon done when most are filled."""
    dense, has = smallest.flatten(), filled.ravel()
    cell = np.flatnonzero(~has)
    asking = cell % BINS
    row = cell - asking  # its first cell
    for turn in range(1, BINS):
        asked = row + _orders()[turn].take(asking)
        found = has.take(asked)
        dense[(row + asking)[found]] = dense[asked[found]]
        row, asking = row[~found], asking[~found]
        if not len(row):
            break
    return dense.reshape(smallest.shape)


def _keys(signature: NDArray[np.uint32], bands: Bands) -> NDArray[np.uint32]:
    used = signature[:, : bands.count * bands.rows].reshape(-1, bands.count, bands.rows)
    keys = np.zeros(used.shape[:2], np.uint64)
    for at in range(bands.rows):
        keys ^= used[:, :, at]
        keys *= np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(32)
    return np.ascontiguousarray(keys.T.astype(np.uint32))
