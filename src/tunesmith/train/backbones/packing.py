"""Rows laid one after another into a stream of tokens without padding; a common beginning is laid once.

Segments of the stream attend to themselves and, where neighbouring rows begin alike, as the two answers to a
question or rows under one system prompt do, to the segment of that beginning. To be computed together
segments of similar length are gathered into blocks; a graphics processor's kernel takes them as they
are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tunesmith.models import device
from tunesmith.models.backbone import Rows
from tunesmith.train.backbones.spans import Spans, spans

# A shorter beginning is not worth the bookkeeping of attending to two segments.
SHARED_FROM = 16
# Segments in one block are at most this much longer than its shortest, and a block is at most this large.
_SPREAD = 1.15
_BLOCK_TOKENS = 2048
_NOTHING = range(0)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Segments that are computed together.

    `places` [segments, longest]: where their tokens are in the stream; shorter ones repeat their last one,
    and `real` tells which are no repetition, where there is any. `run`: the part of the stream that they are,
    one after another, where they are so. `prefix`: where the beginning is that all of them attend to as well;
    its block comes before. `outside`: what a query [longest] may not see of the keys [prefix + longest], as
    [segments or 1, 1, 1, longest or 1, keys].
    """

    places: Tensor
    real: Tensor | None
    run: slice | None
    prefix: range
    causal: bool
    outside: Tensor | None

    @property
    def pairs(self) -> int:
        """How many pairs of a query and a key there are."""
        segments, longest = self.places.shape
        return segments * longest * (len(self.prefix) + longest)


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A stream: `ids` and `positions` in their rows, [tokens]; `where` [tokens of rows] in the stream."""

    ids: Tensor
    positions: Tensor
    where: Tensor
    segments: tuple[Block, ...] | Spans

    @property
    def whence(self) -> Tensor:
        """For each token of the stream [tokens] the last of the rows' tokens that is laid there."""
        found = np.empty(len(self.ids), dtype=np.int64)
        found[self.where.cpu().numpy()] = np.arange(len(self.where))
        return device.tensor(found)


def pack(rows: Rows, *, causal: bool) -> Packed:
    """Lay out rows; where attention is `causal`, what neighbours begin with once."""
    ids: list[NDArray[Any]] = []
    positions: list[NDArray[Any]] = []
    where: list[NDArray[Any]] = []
    segments: dict[range, list[range]] = {}
    place = 0
    for first, last, shared in _alike(rows) if causal else [(0, len(rows), 0)]:
        beginning = range(place, place + shared)
        if shared:
            segments.setdefault(_NOTHING, []).append(beginning)
            ids.append(rows[first][:shared])
            positions.append(np.arange(shared))
            place += shared
        for row in rows[first:last]:
            rest = range(place, place + len(row) - shared)
            segments.setdefault(beginning if shared else _NOTHING, []).append(rest)
            ids.append(row[shared:])
            positions.append(np.arange(shared, len(row)))
            where.append(np.concatenate([np.arange(*_ends(part)) for part in (beginning, rest)]))
            place = rest.stop
    together = spans if device.is_graphics() else _blocks
    return Packed(
        ids=_joined(ids),
        positions=_joined(positions),
        where=_joined(where),
        segments=together(segments, causal=causal),
    )


def _ends(part: range) -> tuple[int, int]:
    return part.start, part.stop


def _alike(rows: Rows) -> Iterator[tuple[int, int, int]]:
    """Neighbours that begin alike: the first, one after the last, and how many tokens they share."""
    first, shared = 0, 0
    for i in range(1, len(rows) + 1):
        common = _common(rows[first], rows[i]) if i < len(rows) else 0
        # One that shares much less would take the others' beginning from them.
        if common >= SHARED_FROM and common * 2 >= shared:
            shared = min(common, shared or common)
        else:
            yield first, i, shared
            first, shared = i, 0


def _common(one: NDArray[Any], other: NDArray[Any]) -> int:
    """How many tokens two rows begin with, one of each being left over."""
    length = min(len(one), len(other)) - 1
    same = one[:length] == other[:length]
    return length if same.all() else int(same.argmin())


def _blocks(segments: Mapping[range, Sequence[range]], *, causal: bool) -> tuple[Block, ...]:
    # Those without a prefix come first: what others attend to is among them.
    return tuple(
        _block(group, prefix, causal=causal)
        for prefix in sorted(segments, key=len)
        for group in _groups(segments[prefix])
    )


def _groups(segments: Sequence[range]) -> list[list[range]]:
    """Segments of similar length together."""
    groups: list[list[range]] = []
    for segment in sorted(segments, key=len):
        last = groups[-1] if groups else [range(0)]
        fits = len(segment) <= len(last[0]) * _SPREAD and len(segment) * (len(last) + 1) <= _BLOCK_TOKENS
        if fits:
            last.append(segment)
        else:
            groups.append([segment])
    return groups


def _block(segments: Sequence[range], prefix: range, *, causal: bool) -> Block:
    starts = torch.tensor([segment.start for segment in segments])[:, None]
    lengths = torch.tensor([len(segment) for segment in segments])[:, None]
    steps = torch.arange(int(lengths.max()))
    real = None if bool((lengths == len(steps)).all()) else steps < lengths
    if causal:
        # What repeats a last token stands behind all real ones, where nothing looks.
        keys = torch.arange(-len(prefix), len(steps))
        outside: Tensor | None = (keys > steps[:, None])[None, None, None]
    else:
        outside = None if real is None else ~real[:, None, None, None]
    places = starts + torch.minimum(steps, lengths - 1)
    return Block(places, real, _run(segments), prefix, causal, outside)


def _run(segments: Sequence[range]) -> slice | None:
    """The part of the stream that segments of one length are, if they lie one after another."""
    first, length = segments[0].start, len(segments[0])
    lie = all(part == range(first + i * length, first + (i + 1) * length) for i, part in enumerate(segments))
    return slice(first, first + len(segments) * length) if lie else None


def _joined(parts: Sequence[NDArray[np.integer[Any]]]) -> Tensor:
    return device.tensor(np.concatenate(parts).astype(np.int64))
