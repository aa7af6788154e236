"""Keys and values of several sequences of different lengths, in one right-aligned batch.

Sequences end in the same column, so that each step appends one column for all of them; shorter ones have
padding on their left, which the mask hides. Distances between columns are distances between positions, which
is what sliding-window masks rely on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from tunesmith.core.errors import ModelError


class BatchCache:
    """A transformers cache whose rows come and go; row `i` holds `lengths[i]` tokens."""

    def __init__(self) -> None:
        self.cache = DynamicCache()
        self.lengths: list[int] = []

    @property
    def width(self) -> int:
        """Columns of the batch: the length of its longest sequence."""
        return max(self.lengths, default=0)

    def mask(self, new: int, device: torch.device) -> Tensor:
        """Which columns are real, [rows, width + new], where each row is about to get `new` more tokens."""
        columns = torch.arange(self.width + new, device=device)
        padding = torch.tensor([self.width - length for length in self.lengths], device=device)
        return (columns[None] >= padding[:, None]).long()

    def grow(self) -> None:
        """Note that each row got one token."""
        self.lengths = [length + 1 for length in self.lengths]

    def join(self, other: DynamicCache) -> None:
        """Add one sequence, computed alone, as the last row."""
        length = other.get_seq_length()
        width = max(self.width, length)
        if not self.lengths:
            self.cache = other
        else:
            for ours, theirs in zip(_layers(self.cache), _layers(other), strict=True):
                ours.keys = torch.cat([_widen(ours.keys, width), _widen(theirs.keys, width)])
                ours.values = torch.cat([_widen(ours.values, width), _widen(theirs.values, width)])
        self.lengths.append(length)

    def keep(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order, and drop the columns that only the others needed."""
        if not rows:
            self.cache, self.lengths = DynamicCache(), []
            return
        spare = self.width - max(self.lengths[row] for row in rows)
        for layer in _layers(self.cache):
            chosen = torch.tensor(rows, device=cast("Tensor", layer.keys).device)
            layer.keys = cast("Tensor", layer.keys)[chosen, :, spare:]
            layer.values = cast("Tensor", layer.values)[chosen, :, spare:]
        self.lengths = [self.lengths[row] for row in rows]


def require_plain_past(config: PreTrainedConfig) -> None:
    """Whether a model's past is keys and values in every layer, which is all that can be batched here.

    Raises:
        ModelError: S23 naming what the model keeps instead.
    """
    plain = (DynamicLayer, DynamicSlidingWindowLayer)
    other = {type(layer).__name__ for layer in DynamicCache(config=config).layers if type(layer) not in plain}
    if other:
        raise ModelError("S23", model=config.model_type, kind=", ".join(sorted(other)))


def _layers(cache: DynamicCache) -> list[DynamicLayer]:
    return cast("list[DynamicLayer]", cache.layers)


def _widen(states: Tensor | None, width: int) -> Tensor:
    """Pad [rows, heads, columns, dim] with zeros on the left to `width` columns."""
    known = cast("Tensor", states)
    return torch.nn.functional.pad(known, (0, 0, width - known.shape[-2], 0))
