"""Attention of a packed stream on a graphics processor: one call of a kernel for rows of any lengths.

The kernel is torch's (Dao 2023): it keeps no probabilities, computes in bfloat16, and lets the last query of
a segment see all of its keys, as a segment with a shared beginning needs it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tunesmith.models import device

# What the kernel takes: heads of a width that is a multiple of the one and at most the other.
_STEP, _WIDEST = 8, 256


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Segments in the order of the stream.

    `ends`, `key_ends` [segments + 1], int32: how many queries and keys there are up to each segment. `keys`
    [keys]: where in the stream they are, or None where every segment attends to nothing but itself.
    """

    ends: Tensor
    key_ends: Tensor
    longest: int
    longest_keys: int
    keys: Tensor | None
    causal: bool


def covers(dtype: torch.dtype, width: int) -> bool:
    """Whether the kernel computes heads of this width in these numbers."""
    return dtype is torch.bfloat16 and width % _STEP == 0 and width <= _WIDEST


def spans(segments: Mapping[range, Sequence[range]], *, causal: bool) -> Spans:
    """The segments of a stream, by the beginning that they attend to as well."""
    pairs = sorted(((own, prefix) for prefix, group in segments.items() for own in group), key=_start)
    lengths = [len(own) for own, _ in pairs]
    seen = [len(prefix) + len(own) for own, prefix in pairs]
    shares = any(prefix for _, prefix in pairs)
    return Spans(
        ends=_ends(lengths),
        key_ends=_ends(seen),
        longest=max(lengths),
        longest_keys=max(seen),
        keys=device.tensor(np.concatenate([[*prefix, *own] for own, prefix in pairs])) if shares else None,
        causal=causal,
    )


def attend(query: Tensor, key: Tensor, value: Tensor, found: Spans) -> Tensor:
    """softmax(q k' / sqrt(d)) v within each segment.

    query: [tokens, heads, d]; key, value: [tokens, kv_heads, d] -> [tokens, heads, d].
    """
    from torch.nn.attention.varlen import varlen_attn

    if found.keys is not None:
        key, value = key[found.keys], value[found.keys]
    # Before torch 2.12 the kernel took fewer heads of keys without being told.
    told = "enable_gqa" in inspect.signature(varlen_attn).parameters
    heads: dict[str, Any] = {"enable_gqa": query.shape[1] != key.shape[1]} if told else {}
    out = varlen_attn(
        query,
        key,
        value,
        found.ends,
        found.key_ends,
        found.longest,
        found.longest_keys,
        window_size=(-1, 0 if found.causal else -1),
        **heads,
    )
    return out if isinstance(out, Tensor) else out[0]


def _start(pair: tuple[range, range]) -> int:
    return pair[0].start


def _ends(lengths: Sequence[int]) -> Tensor:
    return device.tensor(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
