"""On a graphics processor the fast backbone is chosen, and its gradients are near those of float32."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from tunesmith.models import adapters
from tunesmith.models.backbone import Backbone, Generic
from tunesmith.train.backbones import choice
from tunesmith.train.backbones.llama import LlamaBackbone
from tunesmith.train.backbones.maps import NotCoveredError

LENGTHS = (5, 33, 35, 1, 160, 34)


def decoder(*, lora: bool, heads: int = 4) -> nn.Module:
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=300, hidden_size=128, num_hidden_layers=3, num_attention_heads=heads,
            num_key_value_heads=2, intermediate_size=192,
        )
    )  # fmt: skip
    if lora:
        adapters.add(model, rank=4, alpha=8.0, targets="all-linear")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += torch.randn_like(parameter) * 0.03
    return model.eval().cuda()


def gradients(model: nn.Module, backbone: Backbone, common: int) -> torch.Tensor:
    """All gradients of a random sum of the hidden states, one after another."""
    random = np.random.default_rng(0)
    beginning = random.integers(5, 300, common)
    rows = [np.concatenate([beginning, random.integers(5, 300, n)]) for n in LENGTHS]
    model.zero_grad(set_to_none=True)
    torch.manual_seed(1)
    hidden = backbone.hidden(rows)
    (hidden.float() * torch.randn(hidden.shape)).sum().backward()
    found = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    return torch.cat(found).double()


@pytest.mark.parametrize("common", [0, 40], ids=["apart", "shared"])
@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
def test_gradients_in_bf16_are_near_those_of_float32(lora: bool, common: int) -> None:
    model = decoder(lora=lora)
    wanted = gradients(model, Generic(model, speaks=True), common)
    found = gradients(model, LlamaBackbone(model, torch.bfloat16), common)
    assert 0 < float((found - wanted).norm() / wanted.norm()) < 1.5e-2


def test_float32_is_left_to_the_own_code_of_a_model() -> None:
    with pytest.raises(NotCoveredError):
        LlamaBackbone(decoder(lora=False), torch.float32)


def test_the_choice_is_the_fast_one() -> None:
    fast = choice._fast(decoder(lora=True), torch.bfloat16, speaks=True)
    assert isinstance(fast, LlamaBackbone)
