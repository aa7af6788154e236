"""The spans of a stream say what its blocks say: with a kernel in plain steps attention is the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tunesmith.models import device
from tunesmith.train.backbones import attention, packing

HEADS, KV_HEADS, WIDTH = 4, 2, 8


def kernel(
    query: Tensor, key: Tensor, value: Tensor, ends: Tensor, key_ends: Tensor, longest: int,
    longest_keys: int, *, window_size: tuple[int, int], enable_gqa: bool,
) -> Tensor:  # fmt: skip
    """What torch's kernel for graphics processors computes, a segment at a time."""
    out = []
    for i in range(len(ends) - 1):
        q = query[ends[i] : ends[i + 1]].transpose(0, 1)
        k, v = (side[key_ends[i] : key_ends[i + 1]].transpose(0, 1) for side in (key, value))
        assert q.shape[1] <= longest
        assert k.shape[1] <= longest_keys
        seen = torch.ones(q.shape[1], k.shape[1], dtype=torch.bool)
        if window_size == (-1, 0):
            seen = seen.tril(k.shape[1] - q.shape[1])
        found = functional.scaled_dot_product_attention(q, k, v, attn_mask=seen, enable_gqa=enable_gqa)
        out.append(found.transpose(0, 1))
    return torch.cat(out)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("common", [0, 40])
def test_attention_by_spans_is_attention_by_blocks(
    common: int, causal: bool, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [*rows(common=common), np.arange(100, 150)]
    blocks = packing.pack(given, causal=causal)
    monkeypatch.setattr(device, "is_graphics", lambda: True)
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", kernel)
    spans = packing.pack(given, causal=causal)
    assert torch.equal(spans.ids, blocks.ids)
    torch.manual_seed(0)
    query = torch.randn(len(spans.ids), HEADS, WIDTH)
    key, value = torch.randn(2, len(spans.ids), KV_HEADS, WIDTH)
    found = attention.attend(query, key, value, spans.segments)
    wanted = attention.attend(query, key, value, blocks.segments)
    torch.testing.assert_close(found, wanted)
