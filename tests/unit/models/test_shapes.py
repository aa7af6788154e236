"""Shapes: what they count is what the models have."""

from __future__ import annotations

import pytest

from tunesmith.models import catalogue
from tunesmith.models.shapes import of_config

KNOWN = [entry for entry in catalogue.entries().values() if entry.shape is not None]


@pytest.mark.parametrize("entry", KNOWN, ids=lambda entry: entry.name)
def test_the_parameters_of_an_entry_follow_from_its_shape(entry: catalogue.Entry) -> None:
    assert entry.shape is not None
    assert entry.shape.parameters / 1e6 == pytest.approx(entry.parameters, rel=0.03, abs=0.6)


SIZES = {"vocab_size": 400, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
PAIR = {"vocab_size": 400, "d_model": 64}


@pytest.mark.parametrize(
    ("family", "sizes"),
    [
        ("llama", {**SIZES, "num_key_value_heads": 2, "intermediate_size": 160}),
        ("qwen3", {**SIZES, "num_key_value_heads": 2, "head_dim": 32, "intermediate_size": 160}),
        ("gpt2", {"vocab_size": 400, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 32}),
        ("bert", {**SIZES, "intermediate_size": 256, "max_position_embeddings": 32}),
        ("distilbert", {"vocab_size": 400, "dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 256}),
        ("modernbert", {**SIZES, "intermediate_size": 96}),
        ("t5", {**PAIR, "num_layers": 2, "num_heads": 4, "d_kv": 16, "d_ff": 128}),
        ("t5", {**PAIR, "num_layers": 1, "num_decoder_layers": 3, "num_heads": 4, "d_kv": 16, "d_ff": 128}),
    ],
)
def test_a_config_gives_the_size_of_the_model_it_makes(family: str, sizes: dict[str, int]) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM
    from transformers import AutoModel as AutoEncoder

    kinds = {"t5": AutoModelForSeq2SeqLM, "llama": AutoModelForCausalLM, "qwen3": AutoModelForCausalLM}
    # Ids of special tokens of the full vocabularies would not fit such a small one.
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2}
    config = AutoConfig.for_model(family, **sizes, **ids)
    module = kinds.get(family, AutoEncoder).from_config(config)
    counted = sum(p.numel() for name, p in module.named_parameters() if "pooler" not in name)
    shape = of_config(config.to_dict())
    assert shape is not None
    assert shape.parameters == pytest.approx(counted, rel=0.03)


def test_a_config_without_sizes_has_no_shape() -> None:
    assert of_config({"model_type": "llama", "hidden_size": 64}) is None
