"""Attention of a packed stream: every segment attends to itself and to the beginning it shares, and no other.

Queries of heads that share keys are folded into one product, so that a block of segments is three batched
products and a softmax. The probabilities are kept for the backward pass; where they would be too many, for
they grow with the square of a segment, each segment goes through torch's own kernel, which keeps none. With
dropout that kernel would keep them too, and more slowly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from tunesmith.train.backbones import spans
from tunesmith.train.backbones.dropout import Dropout
from tunesmith.train.backbones.packing import Block
from tunesmith.train.backbones.spans import Spans

# The most bytes of probabilities that a layer keeps for its backward pass.
_KEPT_BYTES = 32 << 20


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    segments: Sequence[Block] | Spans,
    dropout: Dropout | None = None,
) -> Tensor:
    """softmax(q k' / sqrt(d)) v within each segment; on a graphics processor there is no dropout.

    query: [tokens, heads, d]; key, value: [tokens, kv_heads, d] -> [tokens, heads, d].
    """
    if isinstance(segments, Spans):
        return spans.attend(query, key, value, segments)
    return _by_blocks(query, key, value, segments, dropout)


def _by_blocks(
    query: Tensor, key: Tensor, value: Tensor, blocks: Sequence[Block], dropout: Dropout | None
) -> Tensor:
    kept = query.shape[1] * query.element_size() * sum(block.pairs for block in blocks)
    if dropout is None and kept > _KEPT_BYTES:
        return _by_segment(query, key, value, blocks)
    found: Tensor = _Attention.apply(query, key, value, blocks, dropout)  # type: ignore[no-untyped-call]
    return found


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, blocks: Sequence[Block], dropout: Dropout | None
    ) -> Tensor:
        out = torch.empty_like(query, memory_format=torch.contiguous_format)
        kept: list[Tensor | None] = []
        for block in blocks:
            q, k, v = _queries(query, key.shape[1], block), _keys(key, block), _keys(value, block)
            shares = _shares(q, k, block, query.shape[-1])
            mask = None if dropout is None else dropout.mask(shares.shape)
            used = shares if dropout is None or mask is None else dropout.applied(shares, mask)
            _give_queries(torch.bmm(used, v), out, block)
            kept += [q, k, v, shares, mask]
        ctx.save_for_backward(*kept)
        ctx.blocks, ctx.kv_heads, ctx.dropout = blocks, key.shape[1], dropout
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        kept, (tokens, _, width) = ctx.saved_tensors, gradient.shape
        of_query = torch.empty_like(gradient, memory_format=torch.contiguous_format)
        of_key, of_value = (gradient.new_zeros((tokens, ctx.kv_heads, width)) for _ in range(2))
        for i, block in enumerate(ctx.blocks):
            q, k, v, shares, mask = kept[5 * i : 5 * i + 5]
            g = _queries(gradient, ctx.kv_heads, block, clear=True)
            used = shares if mask is None else ctx.dropout.applied(shares, mask)
            _give_keys(torch.bmm(used.transpose(1, 2), g), of_value, block)
            found = torch.bmm(g, v.transpose(1, 2))
            if mask is not None:
                found = ctx.dropout.applied(found, mask)
            found = torch.ops.aten._softmax_backward_data(found, shares, -1, found.dtype).mul_(width**-0.5)
            _give_queries(torch.bmm(found, k), of_query, block)
            _give_keys(torch.bmm(found.transpose(1, 2), q), of_key, block)
        return of_query, of_key, of_value, None, None


def _by_segment(query: Tensor, key: Tensor, value: Tensor, blocks: Sequence[Block]) -> Tensor:
    places: list[Tensor] = []
    found: list[Tensor] = []
    for block in blocks:
        for i, row in enumerate(block.places):
            mine = row if block.real is None else row[block.real[i]]
            keys = torch.cat([torch.arange(block.prefix.start, block.prefix.stop), mine])
            places.append(mine)
            found.append(_segment(query[mine], key[keys], value[keys], causal=block.causal))
    return torch.empty_like(query).index_copy(0, torch.cat(places), torch.cat(found))


def _segment(query: Tensor, key: Tensor, value: Tensor, *, causal: bool) -> Tensor:
    """Queries [tokens, heads, d] are the last of the keys [prefix + tokens, kv_heads, d]."""
    prefix = len(key) - len(query)
    seen = torch.ones(len(query), len(key), dtype=torch.bool).tril(prefix) if causal and prefix else None
    query, key, value = (side.transpose(0, 1)[None] for side in (query, key, value))
    found = functional.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=seen,
        is_causal=causal and not prefix,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return found[0].transpose(0, 1)


def _shares(query: Tensor, key: Tensor, block: Block, width: int) -> Tensor:
    """How much each query looks at each key: [segments * kv_heads, folds * longest, keys]."""
    scores = torch.bmm(query, key.transpose(1, 2)).mul_(width**-0.5)
    if block.outside is not None:
        segments, longest = block.places.shape
        apart = scores.view(segments, len(scores) // segments, -1, longest, scores.shape[-1])
        # Adding is several times as fast as filling by a mask that is the same for all.
        apart.add_(
            torch.zeros(block.outside.shape, dtype=scores.dtype).masked_fill_(block.outside, -torch.inf)
        )
    return torch.softmax(scores, -1)


def _queries(x: Tensor, kv_heads: int, block: Block, *, clear: bool = False) -> Tensor:
    """[tokens, heads, d] -> [segments * kv_heads, folds * longest, d]: heads of the same keys together.

    With `clear`, what only fills up a segment is zero.
    """
    (segments, longest), (_, heads, width) = block.places.shape, x.shape
    picked = _picked(x, block)
    if clear and block.real is not None:
        picked = picked.masked_fill(~block.real[:, :, None, None], 0)
    apart = picked.view(segments, longest, kv_heads, heads // kv_heads, width)
    return apart.permute(0, 2, 3, 1, 4).reshape(segments * kv_heads, -1, width)


def _give_queries(found: Tensor, out: Tensor, block: Block) -> None:
    """Put back what `_queries` takes."""
    (segments, longest), (_, heads, width) = block.places.shape, out.shape
    apart = found.view(segments, len(found) // segments, -1, longest, width).permute(0, 3, 1, 2, 4)
    if block.run is not None:
        out[block.run].view(apart.shape).copy_(apart)
    else:
        _put(apart.reshape(segments, longest, heads, width), out, block)


def _keys(x: Tensor, block: Block) -> Tensor:
    """[tokens, kv_heads, d] -> [segments * kv_heads, prefix + longest, d]."""
    picked = _picked(x, block)
    if block.prefix:
        beginning = x[block.prefix.start : block.prefix.stop].expand(len(picked), -1, -1, -1)
        picked = torch.cat([beginning, picked], dim=1)
    return picked.transpose(1, 2).reshape(-1, picked.shape[1], x.shape[-1])


def _give_keys(found: Tensor, total: Tensor, block: Block) -> None:
    """Add the gradients of what `_keys` takes: of the prefix from each segment, of the others once."""
    apart = found.view(len(block.places), -1, *found.shape[1:]).transpose(1, 2)
    shared = len(block.prefix)
    if shared:
        total[block.prefix.start : block.prefix.stop] += apart[:, :shared].sum(0)
    _put(apart[:, shared:], total, block)


def _picked(x: Tensor, block: Block) -> Tensor:
    """[tokens, heads, d] -> [segments, longest, heads, d]; of segments in a row it is a view."""
    return x[block.places] if block.run is None else x[block.run].unflatten(0, block.places.shape)


def _put(rows: Tensor, out: Tensor, block: Block) -> None:
    """Write [segments, longest, heads, d] to where `_picked` reads; what only fills up is left out."""
    if block.run is not None:
        out[block.run].unflatten(0, block.places.shape).copy_(rows)
    elif block.real is None:
        out.index_copy_(0, block.places.flatten(), rows.flatten(0, 1))
    else:
        out.index_copy_(0, block.places[block.real], rows[block.real])
