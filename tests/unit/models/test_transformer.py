"""The reference Transformer computes what its formulas say."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tunesmith.models.transformer import (
    Decoder,
    Encoder,
    EncoderDecoder,
    MultiHeadAttention,
    Size,
    attention,
    causal,
    sinusoids,
)

SIZE = Size(vocab=50, width=24, heads=3, layers=2, context=20)
Shape = st.tuples(*[st.integers(1, 7)] * 6)


@settings(max_examples=60, deadline=None)
@given(Shape, st.integers(0, 2**31), st.sampled_from(["none", "random", "causal", "padding"]))
def test_attention_equals_torch(shape: tuple[int, ...], seed: int, masking: str) -> None:
    batch, heads, queries, keys, key_width, value_width = shape
    torch.manual_seed(seed)
    query = torch.randn(batch, heads, queries, key_width)
    key = torch.randn(batch, heads, keys, key_width)
    value = torch.randn(batch, heads, keys, value_width)
    mask = {
        "none": None,
        "random": torch.rand(batch, heads, queries, keys) < 0.5,
        "causal": torch.ones(queries, keys, dtype=torch.bool).tril(),
        "padding": torch.rand(batch, 1, 1, keys) < 0.5,
    }[masking]
    if mask is not None:
        mask[..., 0] = True
    output, weights = attention(query, key, value, mask)
    expected = nn.functional.scaled_dot_product_attention(query, key, value, mask)
    assert torch.allclose(output, expected, rtol=0, atol=1e-6)
    assert torch.allclose(weights.sum(-1), torch.ones(batch, heads, queries), atol=1e-6)
    if mask is not None:
        assert (weights[~mask.expand_as(weights)] == 0).all()


def test_heads_equal_those_of_torch() -> None:
    torch.manual_seed(0)
    ours = MultiHeadAttention(SIZE)
    theirs = nn.MultiheadAttention(SIZE.width, SIZE.heads, batch_first=True)
    with torch.no_grad():
        for name in ("weight", "bias"):
            parts = [getattr(part, name) for part in (ours.query, ours.key, ours.value)]
            getattr(theirs, f"in_proj_{name}").copy_(torch.cat(parts))
            getattr(theirs.out_proj, name).copy_(getattr(ours.output, name))
    x, source = torch.randn(2, 5, SIZE.width), torch.randn(2, 7, SIZE.width)
    ours.eval()
    expected, weights = theirs(x, source, source, average_attn_weights=False)
    assert torch.allclose(ours(x, source), expected, atol=1e-6)
    ours.watched = True
    assert torch.allclose(ours(x, source), expected, atol=1e-6)
    assert ours.weights is not None
    assert torch.allclose(ours.weights, weights, atol=1e-6)


def test_positions_are_those_of_the_paper() -> None:
    table = sinusoids(30, 10)
    for position, i in ((0, 0), (7, 2), (29, 4)):
        angle = position / 10_000 ** (2 * i / 10)
        assert table[position, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-5)
        assert table[position, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)


@pytest.mark.parametrize("learned", [False, True])
def test_a_decoder_sees_nothing_that_comes_later(learned: bool) -> None:
    torch.manual_seed(0)
    size = Size(vocab=50, width=24, heads=3, layers=2, context=20, learned_positions=learned)
    decoder = Decoder(size).eval()
    ids = torch.randint(50, (2, 9))
    changed = ids.clone()
    changed[:, 6:] = (ids[:, 6:] + 1) % 50
    before, after = decoder(ids), decoder(changed)
    assert torch.allclose(before[:, :6], after[:, :6], atol=1e-6)
    assert not torch.allclose(before[:, 6:], after[:, 6:], atol=1e-2)
    assert causal(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]


def test_padding_changes_nothing() -> None:
    torch.manual_seed(0)
    model = EncoderDecoder(SIZE).eval()
    source, target = torch.randint(50, (1, 6)), torch.randint(50, (1, 4))
    padded = torch.cat([source, torch.randint(50, (1, 5))], dim=1)
    mask = torch.tensor([[1] * 6 + [0] * 5])
    assert torch.allclose(model(padded, target, mask), model(source, target), atol=1e-5)
    encoder = Encoder(SIZE).eval()
    assert torch.allclose(encoder(padded, mask)[:, :6], encoder(source), atol=1e-5)


def test_an_encoder_decoder_learns_to_reverse() -> None:
    torch.manual_seed(0)
    model = EncoderDecoder(Size(vocab=12, width=32, heads=4, layers=1, context=8, dropout=0.0))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(150):
        source = torch.randint(2, 12, (32, 5))
        target = torch.cat([torch.zeros(32, 1, dtype=torch.long), source.flip(1)], dim=1)
        logits = model(source, target[:, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 1.0
    assert all(weight.grad is not None for weight in model.parameters())
