"""Keys and values of sequences that come and go, in about as much memory as the sequences are long.

A prompt is read into a `Prefix`. Then its sequence gets a row in the `Slab` of its width, beside others of
about its length, so that one product attends for all of them; it moves on when it outgrows that width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

NARROWEST = 64  # tokens; every wider slab is twice as wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is kept of one token: keys and values of `size` numbers for each head of each layer."""

    layers: int
    heads: int
    size: int
    dtype: torch.dtype
    device: torch.device

    def room(self, *tokens: int) -> Tensor:
        """Zeros, [layers, keys and values, *tokens, heads, size]."""
        sizes = (self.layers, 2, *tokens, self.heads, self.size)
        return torch.zeros(sizes, dtype=self.dtype, device=self.device)


class Prefix:
    """The first `length` tokens of one sequence: `store` [layers, 2, at least length, heads, size]."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self.length = 0
        self.store = shape.room(0)

    def reserve(self, tokens: int) -> None:
        """See that there is room for `tokens` in all."""
        if tokens > self.store.shape[2]:
            wider = self._shape.room(width_for(tokens))
            wider[:, :, : self.length] = self.store[:, :, : self.length]
            self.store = wider


class Slab:
    """Rows of up to `width` tokens, those in use at the front: row `i` holds `lengths[i]` of `sequences[i]`.

    `store`: [layers, 2, rows, width, heads, size]. What is not in use is finite, so that a mask hides it.
    """

    def __init__(self, shape: Shape, width: int) -> None:
        self._shape = shape
        self.width = width
        self.sequences: list[int] = []
        self.lengths: list[int] = []
        self.store = shape.room(0, width)

    def add(self, sequence: int, store: Tensor, length: int) -> None:
        """Copy the first `length` tokens of `store` into a new row."""
        row = len(self.sequences)
        if row == self.store.shape[2]:
            self._resize(max(1, 2 * row))
        self._fill(row, store, length)
        self.sequences.append(sequence)
        self.lengths.append(length)

    def drop(self, sequence: int) -> None:
        """Forget a sequence; the last row takes its place."""
        row = self.sequences.index(sequence)
        last, length = self.sequences.pop(), self.lengths.pop()
        end = len(self.sequences)
        if row < end:
            self._fill(row, self.store[:, :, end], length)
            self.sequences[row], self.lengths[row] = last, length
        if 4 * end <= self.store.shape[2]:
            self._resize(2 * end)

    def _fill(self, row: int, store: Tensor, length: int) -> None:
        self.store[:, :, row, :length] = store[:, :, :length]
        self.store[:, :, row, length:] = 0

    def _resize(self, rows: int) -> None:
        store, used = self._shape.room(rows, self.width), len(self.sequences)
        store[:, :, :used] = self.store[:, :, :used]
        self.store = store


class Slabs:
    """Sequences in the slabs of their widths, narrow ones first."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._slabs: dict[int, Slab] = {}
        self._width: dict[int, int] = {}  # of the slab in which a sequence is

    def __iter__(self) -> Iterator[Slab]:
        return iter([self._slabs[width] for width in sorted(self._slabs)])

    def add(self, sequence: int, store: Tensor, length: int) -> None:
        """Copy in the first `length` tokens of `store`, with room for at least one more."""
        width = width_for(length + 1)
        if width not in self._slabs:
            self._slabs[width] = Slab(self._shape, width)
        self._slabs[width].add(sequence, store, length)
        self._width[sequence] = width

    def drop(self, sequence: int) -> None:
        """Forget a sequence."""
        self._drop(sequence, self._width.pop(sequence))

    def taken(self, sequence: int) -> Tensor:
        """A copy of the tokens of a sequence: [layers, keys and values, tokens, heads, size]."""
        slab = self._slabs[self._width[sequence]]
        row = slab.sequences.index(sequence)
        return slab.store[:, :, row, : slab.lengths[row]].clone()

    def make_room(self) -> None:
        """Move the sequences that fill their width into a wider slab."""
        for slab in self:
            # Dropping a row moves one from behind it, which was looked at before.
            for row in reversed(range(len(slab.sequences))):
                if slab.lengths[row] == slab.width:
                    sequence = slab.sequences[row]
                    self.add(sequence, slab.store[:, :, row], slab.width)
                    self._drop(sequence, slab.width)

    def _drop(self, sequence: int, width: int) -> None:
        self._slabs[width].drop(sequence)
        if not self._slabs[width].sequences:
            del self._slabs[width]


def width_for(tokens: int) -> int:
    """The narrowest width that holds so many tokens."""
    return max(NARROWEST, 1 << (tokens - 1).bit_length())
