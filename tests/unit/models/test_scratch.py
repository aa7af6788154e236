"""Models made from nothing: the size that was asked for, and the same bytes for the same seed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tunesmith.core.errors import ModelError
from tunesmith.core.recipe import Scratch
from tunesmith.models import scratch
from tunesmith.models.families import FAMILIES
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


@pytest.mark.parametrize(
    ("architecture", "folder", "vocab"),
    [
        ("llama", "gpt2-tokenizer", 50257),
        ("t5", "gpt2-tokenizer", 50257),
        ("bert", "bert-base-chinese-vocab", 21128),
    ],
)
def test_the_tokenizer_of_another_model_is_taken(shared_data, architecture, folder, vocab):
    where = shared_data / "weights" / folder
    size = Scratch(architecture=architecture, hidden=16, layers=1, heads=2, tokenizer=str(where))
    module, tokens = scratch.make(size, (), seed=0)
    ids = tokens.encode("包裹 is late").ids
    assert module.config.vocab_size == vocab
    assert module.config.eos_token_id == tokens.token_to_id(
        "[SEP]" if architecture == "bert" else "<|endoftext|>"
    )
    # What writes has to learn where a text ends; a language model is told by its contract.
    assert (ids[-1] == module.config.eos_token_id) == (architecture != "llama")
    if architecture == "llama":
        assert scratch.contract_for(size, tokens).stop_ids == (50256,)


def test_a_tokenizer_without_an_end_is_refused(tmp_path):
    _, tokens = scratch.make(SIZES[0], TEXTS, seed=0)
    tokens.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelError, match="M87"):
        scratch.make(SIZES[0].model_copy(update={"tokenizer": str(tmp_path)}), (), seed=0)


@pytest.mark.parametrize("name", FAMILIES)
def test_dropout_is_what_was_asked_for_or_what_the_family_has(name):
    family, base = FAMILIES[name], SIZES[0].model_copy(update={"architecture": name})
    names = family.names["dropout"]
    names = (names,) if isinstance(names, str) else names
    asked = family.settings(base.model_copy(update={"dropout": 0.25}), 320)
    assert {asked[key] for key in names} == {0.25}
    assert not set(names) & set(family.settings(base, 320))
    assert all(hasattr(scratch.make(base, TEXTS, seed=0)[0].config, key) for key in names)


def test_no_bar_of_the_library_is_shown_when_a_made_model_is_written(tmp_path: Path) -> None:
    program = (
        "from tunesmith.core.recipe import Scratch\n"
        "from tunesmith.models import scratch\n"
        "size = Scratch(architecture='bert', hidden=32, layers=1, heads=2, vocab=320, context=64)\n"
        f"scratch.make(size, {TEXTS!r}, seed=0)[0].save_pretrained({str(tmp_path)!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
