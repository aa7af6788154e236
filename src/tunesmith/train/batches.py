"""Which rows are learned together, as a pure function of (seed, step): there is no iterator state to restore.

Rows are shuffled, cut into pools, sorted by length inside each pool and cut into batches, so that a batch
holds rows of similar length and little is padding; then the batches are shuffled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_POOL = 50  # batches sorted together: large enough for little padding, small enough to stay random


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """The batches of a training part. `lengths`: tokens of each example."""

    lengths: NDArray[np.int64]
    size: int
    seed: int

    @property
    def per_epoch(self) -> int:
        """Optimizer steps of one pass over the rows."""
        return -(-len(self.lengths) // self.size)

    def at(self, step: int) -> NDArray[np.int64]:
        """The indices of the examples of an optimizer step, counted from 0 over all epochs."""
        epoch, index = divmod(step, self.per_epoch)
        return _epoch(self, epoch)[index]


@lru_cache(maxsize=2)
def _epoch(batches: Batches, epoch: int) -> list[NDArray[np.int64]]:
    rng = np.random.Generator(np.random.Philox(key=[batches.seed, epoch]))
    order = rng.permutation(len(batches.lengths))
    pool = batches.size * _POOL
    sorted_pools = [
        part[np.argsort(batches.lengths[part], kind="stable")]
        for part in (order[i : i + pool] for i in range(0, len(order), pool))
    ]
    rows = np.concatenate(sorted_pools)
    cut = [rows[i : i + batches.size] for i in range(0, len(rows), batches.size)]
    return [cut[i] for i in rng.permutation(len(cut))]


def parts(
    indices: Iterable[int], lengths: NDArray[np.int64], tokens: int, least: int, *, shared: int = 0
) -> list[list[int]]:
    """The `micro` parts of a step's rows; at least so many, alike in length, where there are enough rows."""
    found = list(micro(indices, lengths, tokens, shared=shared))
    if len(found) >= least:
        return found
    ordered = [index for part in found for index in part]
    return [ordered[i::least] for i in range(min(least, len(ordered)))]


def micro(
    indices: Iterable[int], lengths: NDArray[np.int64], tokens: int, *, shared: int = 0
) -> Iterator[list[int]]:
    """A step's rows in parts of at most `tokens` tokens with padding, so that memory is bounded.

    `shared`: how many tokens all rows begin with that are computed once in a part; see `counted`.
    """
    part: list[int] = []
    for index in sorted(indices, key=lambda i: (int(lengths[i]), i)):
        if part and shared + (len(part) + 1) * counted(int(lengths[index]), shared) > tokens:
            yield part
            part = []
        part.append(int(index))
    yield part


def counted(length: int, shared: int) -> int:
    """As how many tokens a row counts beside the ones that all rows share.

    It keeps a copy of their keys and values for its backward pass: for each an eighth at most of what a token
    keeps in all.
    """
    return length - shared + shared // 8
