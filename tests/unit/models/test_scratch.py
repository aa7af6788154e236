"""Models made from nothing: the size that was asked for, and the same bytes for the same seed."""

from __future__ import annotations

import pytest
import torch

from tunesmith.core.recipe import Scratch
from tunesmith.models import scratch
from tunesmith.models.tokenizer import BOS, EOS, PAD, TURN_END

TEXTS = ["The parcel is late.", "快递三天没动了，什么时候能到？", "I was charged twice!"] * 3
SIZES = [
    Scratch(architecture=name, hidden=32, layers=2, heads=2, vocab=320, context=64)
    for name in ("llama", "bert", "transformer_decoder", "transformer_encoder")
]
sizes = pytest.mark.parametrize("size", SIZES, ids=lambda size: size.architecture)


@sizes
def test_the_same_seed_gives_the_same_bytes(size: Scratch) -> None:
    first, tokens = scratch.make(size, TEXTS, seed=7)
    torch.manual_seed(99)
    torch.rand(3)
    second, again = scratch.make(size, TEXTS, seed=7)
    assert tokens.to_str() == again.to_str()
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


@sizes
def test_another_seed_gives_other_weights(size: Scratch) -> None:
    first, second = (scratch.make(size, TEXTS, seed=seed)[0] for seed in (7, 8))
    assert any(not torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@sizes
def test_it_has_the_size_that_was_asked_for(size: Scratch) -> None:
    module, tokens = scratch.make(size, TEXTS, seed=0)
    config = module.config
    assert (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (32, 2, 2)
    assert config.max_position_embeddings == 64
    assert config.vocab_size == tokens.get_vocab_size() <= 320


@sizes
def test_it_knows_its_special_tokens(size: Scratch) -> None:
    module, tokens = scratch.make(size, TEXTS, seed=0)
    assert [module.config.pad_token_id, module.config.bos_token_id, module.config.eos_token_id] == [
        tokens.token_to_id(token) for token in (PAD, BOS, EOS)
    ]


def test_its_contract_stops_at_the_end_of_a_turn_and_of_a_text() -> None:
    _, tokens = scratch.make(SIZES[0], TEXTS, seed=0)
    made = scratch.contract(tokens)
    assert set(made.stop_ids) == {tokens.token_to_id(TURN_END), tokens.token_to_id(EOS)}
    assert made.encode(tokens, [{"role": "user", "content": "hi"}])[0] == tokens.token_to_id("<|im_start|>")


def test_an_untrained_model_computes_numbers() -> None:
    module, tokens = scratch.make(SIZES[0], TEXTS, seed=0)
    with torch.inference_mode():
        logits = module(input_ids=torch.tensor([tokens.encode("包裹").ids])).logits
    assert torch.isfinite(logits).all()
    assert logits.std() > 0
