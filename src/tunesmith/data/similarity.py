"""Which rows repeat each other, exactly or nearly: the Jaccard index of their sets of five-character runs.

Equal texts are found by hash. Of the distinct ones, those with a band key in common (`data.minhash`) are
compared for certain, so that nothing is called similar that is not. Texts and keys lie in files meanwhile.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tunesmith.data.buckets import candidates, distinct, pack, unpack, without
from tunesmith.data.minhash import band_keys, bands_for
from tunesmith.data.shingles import MOST_PAIRS, WIDTH, jaccard, stretches
from tunesmith.data.spill import KeyFile, TextFile

_BLOCK = 1 << 20  # bytes of text gathered before they are hashed
_COMPARED = 1 << 19  # bytes of text compared at once
_THREADS = min(4, os.cpu_count() or 1)  # that compare; more than a few wait for each other's reading
_OTHERS = 4  # further keys which tell apart the many rows that share one
_NEARLY = np.nextafter(np.float32(1), np.float32(0))  # of different texts, even with equal shingles


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Pairs of similar rows, in order: `first[i]` < `second[i]`.

    `similarity` is 1 where the texts are equal, and only there.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    similarity: NDArray[np.float32]


def components(n: int, edges: Edges) -> NDArray[np.int64]:
    """For each of `n` rows the first row it is connected with, by however many edges."""
    return _joined(np.arange(n), edges.first, edges.second)


class SimilarRows:
    """Finds the similar among rows that are added in order, in batches of any size.

    `folder` takes the files, which its owner removes; `threshold` is the least Jaccard index, above 0.
    At 1 only equal texts are looked for.
    """

    def __init__(self, folder: Path, *, threshold: float = 0.8) -> None:
        self._threshold = threshold
        self._bands = bands_for(threshold)
        self._texts = TextFile(folder / "texts")
        self._keys = KeyFile(folder / "keys")
        self._hashes: list[NDArray[np.uint64]] = []  # [2, rows] each
        self._shingled: list[NDArray[np.bool_]] = []
        self._waiting: list[pl.Series] = []
        self._bytes_waiting = 0

    def add(self, texts: pl.Series) -> None:
        """Take the next rows, their texts in the form in which they are to be compared. Null is empty."""
        if texts.is_empty():
            return
        self._waiting.append(texts.fill_null(""))
        self._bytes_waiting += int(self._waiting[-1].str.len_bytes().sum())
        if self._bytes_waiting >= _BLOCK:
            self._take()

    def edges(self) -> Edges:
        """The similar pairs among the rows added so far.

        Every text that occurs again is paired with its first occurrence. Of distinct texts there are the
        pairs of at least the threshold; where very many are alike, as many as it takes to connect them.
        """
        self._take()
        first = self._first_of_text()
        again = np.flatnonzero(first != np.arange(len(first)))
        near, near_similarity = self._near(first)
        pairs = np.concatenate([pack(first[again], again), near])
        below = np.minimum(near_similarity.astype(np.float32), _NEARLY)
        similarity = np.concatenate([np.ones(len(again), np.float32), below])
        order = np.argsort(pairs)
        one, other = unpack(pairs[order])
        return Edges(first=one, second=other, similarity=similarity[order])

    def close(self) -> None:
        """Close the files, so that the folder can be removed on any system."""
        self._texts.close()
        self._keys.close()

    def _take(self) -> None:
        """Put down the rows that wait."""
        if not self._waiting:
            return
        texts = pl.concat(self._waiting)
        self._waiting, self._bytes_waiting = [], 0
        self._hashes.append(np.stack([texts.hash(seed).to_numpy() for seed in (1, 2)]))
        if self._threshold < 1:
            self._spill(texts)

    def _spill(self, texts: pl.Series) -> None:
        self._texts.add(texts)
        shingled = (texts.str.len_chars() >= WIDTH).to_numpy()
        self._shingled.append(shingled)
        keys = np.zeros((self._bands.count, len(texts)), np.uint32)
        keys[:, shingled] = band_keys(texts.filter(shingled), self._bands)
        self._keys.add(keys)

    def _first_of_text(self) -> NDArray[np.int64]:
        """For each row the first with the same text, told by 128 bits of hash."""
        if not self._hashes:
            return np.zeros(0, np.int64)
        one, other = np.concatenate(self._hashes, axis=1)
        order = np.argsort(one, kind="stable")
        one, other = one[order], other[order]
        starts = np.append(True, (one[1:] != one[:-1]) | (other[1:] != other[:-1]))
        first = np.empty(len(order), np.int64)
        first[order] = order[np.flatnonzero(starts)][np.cumsum(starts) - 1]
        return first

    def _near(self, first: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Verified pairs of distinct texts, and their similarities, band by band."""
        if not len(first) or self._threshold >= 1:
            return np.zeros(0, np.int64), np.zeros(0)
        rows = np.flatnonzero((first == np.arange(len(first))) & np.concatenate(self._shingled))
        joined, sizes = np.arange(len(first)), self._texts.sizes()[rows]
        seen, found, similarities = np.zeros(0, np.int64), [np.zeros(0, np.int64)], [np.zeros(0)]
        for band in range(self._bands.count):
            others = (self._column(band + step)[rows] for step in range(1, 1 + _OTHERS))
            found_by = candidates(rows, self._column(band)[rows], others, sizes)
            one, other = unpack(found_by.chain)
            chain = found_by.chain[joined[one] != joined[other]]
            new = without(np.concatenate([found_by.few, found_by.some, chain]), seen)
            similarity = self._compare(new)
            alike = similarity >= self._threshold
            found.append(new[alike])
            similarities.append(similarity[alike])
            # Of keys of many rows, rejected pairs are forgotten: there may be a great number of them.
            seen = distinct(np.concatenate([seen, found_by.few, new[alike]]))
            joined = _joined(joined, *unpack(new[alike]))
        return np.concatenate(found), np.concatenate(similarities)

    def _column(self, band: int) -> NDArray[np.uint32]:
        return self._keys.column(band % self._bands.count)

    def _compare(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """The Jaccard index of each pair, from its texts."""
        sizes = self._texts.sizes()
        starts = np.cumsum(sizes) - sizes
        one, other = unpack(pairs)

        def compared(stretch: tuple[int, int]) -> NDArray[np.float64]:
            both = np.concatenate([one[slice(*stretch)], other[slice(*stretch)]])
            rows = distinct(both)
            left, right = np.split(np.searchsorted(rows, both), 2)
            return jaccard(self._texts.read(starts[rows], sizes[rows]), left, right)

        parts = stretches(sizes[one] + sizes[other], _COMPARED, most_of_them=MOST_PAIRS)
        with ThreadPoolExecutor(_THREADS) as pool:
            return np.concatenate([np.zeros(0), *pool.map(compared, parts)])


def _joined(
    heads: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int64]:
    """`heads`, the first row of each row's component, after components are joined by edges.

    Every head is hung below the smallest head it has an edge to, then every row points to the head of its
    head until nothing changes (Shiloach and Vishkin 1982).
    """
    heads = heads.copy()
    while True:
        one, other = heads[first], heads[second]
        if np.array_equal(one, other):
            return heads
        np.minimum.at(heads, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(heads, heads[heads]):
            heads = heads[heads]
