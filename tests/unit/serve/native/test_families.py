"""Every family that is covered computes what transformers computes, in odd shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from tunesmith.serve.admission import Limits
from tunesmith.serve.native import building
from tunesmith.serve.native.engine import uncovered

SIZE = {
    "vocab_size": 61, "hidden_size": 40, "intermediate_size": 56, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 96,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}  # fmt: skip
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {**SIZE, "tie_word_embeddings": False, "rope_parameters": LLAMA3}),
    "llama with biases": ("llama", {**SIZE, "attention_bias": True, "mlp_bias": True}),
    "mistral with a window": ("mistral", {**SIZE, "head_dim": 20, "sliding_window": 9}),
    "qwen2": ("qwen2", SIZE),
    "qwen3": ("qwen3", {**SIZE, "head_dim": 24}),
    "gemma": ("gemma", {**SIZE, "head_dim": 32, "num_key_value_heads": 1}),
    "gpt2": ("gpt2", {"vocab_size": 61, "n_embd": 40, "n_layer": 2, "n_head": 4, "n_positions": 96}),
}
IDS = torch.randint(0, 61, (1, 41), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_are_those_of_transformers(family: str) -> None:
    kind, settings = FAMILIES[family]
    torch.manual_seed(1)
    module = AutoModelForCausalLM.from_config(CONFIG_MAPPING[kind](**settings)).eval()
    for parameter in module.parameters():  # biases and norms too
        torch.nn.init.normal_(parameter, std=0.2)
    assert uncovered(module) is None
    decoder = building.decoder(module, family, "float32", Limits(batch=2, running_size=256), 2)
    try:
        with torch.inference_mode():
            expected = module(IDS).logits[0].log_softmax(-1)
        ids = IDS[0].tolist()
        found = [one.logprob for one in decoder.likelihoods(ids, 0)]
        wanted = [float(expected[i, following]) for i, following in enumerate(ids[1:])]
        np.testing.assert_allclose(found, wanted, atol=2e-4)
    finally:
        decoder.close()
