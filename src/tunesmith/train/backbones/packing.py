"""Rows laid one after another into a stream of tokens without padding; a common beginning is laid once.

Segments of the stream attend to themselves and, where rows begin alike, to the segment of that beginning. To
be computed together segments of similar length are gathered into blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tunesmith.models.backbone import Rows

# A shorter beginning is not worth the bookkeeping of attending to two segments.
_SHARED = 16
# Segments in one block are at most this much longer than its shortest, and a block is at most this large.
_SPREAD = 1.15
_BLOCK_TOKENS = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Segments that are computed together.

    `places` [segments, longest]: where their tokens are in the stream; shorter ones repeat their last one,
    and `real` tells which are no repetition, where there is any. `prefix`: how many first tokens of the
    stream all of them attend to as well. `outside`: what a query [longest] may not see of the keys
    [prefix + longest], as [segments or 1, 1, 1, longest or 1, keys].
    """

    places: Tensor
    real: Tensor | None
    prefix: int
    outside: Tensor | None


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A stream: `ids` and `positions` in their rows, [tokens]; `where` [tokens of rows] in the stream."""

    ids: Tensor
    positions: Tensor
    where: Tensor
    blocks: tuple[Block, ...]


def pack(rows: Rows, *, causal: bool) -> Packed:
    """Lay out rows; where attention is `causal`, their common beginning once."""
    shared = common_beginning(rows) if causal else 0
    starts = [shared + n for n in np.cumsum([0, *(len(row) - shared for row in rows)]).tolist()]
    segments = [(start, len(row) - shared) for start, row in zip(starts, rows, strict=False)]
    beginning = np.arange(shared)
    blocks = [_block(group, shared, causal=causal) for group in _groups(segments)]
    if shared:
        blocks.insert(0, _block([(0, shared)], 0, causal=causal))
    return Packed(
        ids=_joined([rows[0][:shared], *(row[shared:] for row in rows)]),
        positions=_joined([beginning, *(np.arange(shared, len(row)) for row in rows)]),
        where=_joined([np.concatenate([beginning, np.arange(start, start + n)]) for start, n in segments]),
        blocks=tuple(blocks),
    )


def common_beginning(rows: Rows) -> int:
    """How many tokens all rows begin with, one of each being left over; 0 where it is not worth sharing."""
    if len(rows) < 2:
        return 0
    length = min(len(row) for row in rows) - 1
    beginnings = np.stack([row[:length] for row in rows])
    same = (beginnings == beginnings[0]).all(0)
    found = length if same.all() else int(same.argmin())
    return found if found >= _SHARED else 0


def _groups(segments: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Segments of similar length together."""
    groups: list[list[tuple[int, int]]] = []
    for segment in sorted(segments, key=lambda segment: segment[1]):
        if (
            groups
            and segment[1] <= groups[-1][0][1] * _SPREAD
            and segment[1] * (len(groups[-1]) + 1) <= _BLOCK_TOKENS
        ):
            groups[-1].append(segment)
        else:
            groups.append([segment])
    return groups


def _block(segments: Sequence[tuple[int, int]], prefix: int, *, causal: bool) -> Block:
    starts, lengths = (torch.tensor(numbers)[:, None] for numbers in zip(*segments, strict=True))
    steps = torch.arange(int(lengths.max()))
    real = None if bool((lengths == len(steps)).all()) else steps < lengths
    if causal:
        # What repeats a last token stands behind all real ones, where nothing looks.
        keys = torch.arange(-prefix, len(steps))
        outside: Tensor | None = (keys > steps[:, None])[None, None, None]
    else:
        outside = None if real is None else ~real[:, None, None, None]
    return Block(starts + torch.minimum(steps, lengths - 1), real, prefix, outside)


def _joined(parts: Sequence[NDArray[np.integer[Any]]]) -> Tensor:
    return torch.from_numpy(np.concatenate(parts).astype(np.int64))
