"""Which rows are learned together, as a pure function of (seed, step): there is no iterator state to restore.

A batch is drawn at random. Were its rows of similar length, a token of a short row would count for far more
than one of a long row: the loss of a step is the mean over its tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Batches:
    """The batches of a training part of so many `rows`."""

    rows: int
    size: int
    seed: int

    @property
    def per_epoch(self) -> int:
        """Optimizer steps of one pass over the rows."""
        return -(-self.rows // self.size)

    def at(self, step: int) -> NDArray[np.int64]:
        """The indices of the examples of an optimizer step, counted from 0 over all epochs."""
        epoch, index = divmod(step, self.per_epoch)
        return _epoch(self, epoch)[index * self.size : (index + 1) * self.size]


@lru_cache(maxsize=2)
def _epoch(batches: Batches, epoch: int) -> NDArray[np.int64]:
    random = np.random.Generator(np.random.Philox(key=[batches.seed, epoch]))
    return random.permutation(batches.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How a step is cut into micro-batches of at most `tokens` tokens, so that memory is bounded.

    `pads`: whether rows are made as long as the longest of theirs. `shared`: how many tokens all rows begin
    with that are computed once in each; only where they are not padded.
    """

    tokens: int
    pads: bool = False
    shared: int = 0

    def parts(self, indices: Iterable[int], lengths: NDArray[np.int64], least: int = 1) -> list[list[int]]:
        """The rows of each micro-batch; at least so many, alike in length, where there are enough rows."""
        found = list(self._filled(indices, lengths))
        if len(found) >= least:
            return found
        ordered = [index for part in found for index in part]
        return [ordered[i::least] for i in range(min(least, len(ordered)))]

    def _filled(self, indices: Iterable[int], lengths: NDArray[np.int64]) -> Iterator[list[int]]:
        part: list[int] = []
        laid = self.shared
        for index in sorted(indices, key=lambda i: (int(lengths[i]), i)):
            tokens = counted(int(lengths[index]), self.shared)
            if part and (len(part) * tokens if self.pads else laid) + tokens > self.tokens:
                yield part
                part, laid = [], self.shared
            part.append(int(index))
            laid += tokens
        yield part


def counted(length: int, shared: int) -> int:
    """As how many tokens a row counts beside the ones that all rows share.

    It keeps a copy of their keys and values for its backward pass: for each an eighth at most of what a token
    keeps in all.
    """
    return length - shared + shared // 8
