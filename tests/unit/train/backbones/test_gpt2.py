"""Decoders like GPT-2 computed for speed: hidden states, logits and gradients are those of transformers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from tunesmith.models.backbone import Generic
from tunesmith.train.backbones.gpt2 import Gpt2Backbone
from tunesmith.train.backbones.maps import NotCoveredError

SIZE: dict[str, Any] = {
    "vocab_size": 300, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 128,
    "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0,
}  # fmt: skip


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
@pytest.mark.parametrize("common", [0, 20], ids=["apart", "shared beginning"])
def test_gradients_are_those_of_transformers(
    activation: str, common: int, shaken: Any, rows: Any, gradients: Any, apart: Any
) -> None:
    # relu has a kink: in float32 rounding decides on which side of it a value near zero falls.
    precision = torch.float64 if activation == "relu" else torch.float32
    model = shaken(GPT2LMHeadModel(GPT2Config(**SIZE, activation_function=activation))).to(precision)
    given = rows(common=common)
    loss, wanted = gradients(model, Generic(model, speaks=True), given)
    found_loss, found = gradients(model, Gpt2Backbone(model, precision), given)
    assert found_loss == pytest.approx(loss, rel=1e-4, abs=1e-2)
    assert apart(found, wanted) < 1e-5


def test_in_bf16_gradients_are_near_those_of_float32(
    shaken: Any, rows: Any, gradients: Any, apart: Any
) -> None:
    model = shaken(GPT2LMHeadModel(GPT2Config(**SIZE)))
    _, wanted = gradients(model, Generic(model, speaks=True), rows())
    _, found = gradients(model, Gpt2Backbone(model, torch.bfloat16), rows())
    assert 0 < apart(found, wanted) < 1.5e-2


def test_logits_are_those_of_transformers(shaken: Any, rows: Any) -> None:
    model = shaken(GPT2LMHeadModel(GPT2Config(**SIZE)))
    backbone = Gpt2Backbone(model, torch.float32)
    (row,) = rows((50,))
    with torch.no_grad():
        wanted = model(torch.from_numpy(row)[None]).logits[0]
        found = backbone.head.project(backbone.hidden([row]))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "setting",
    [{"resid_pdrop": 0.1}, {"scale_attn_by_inverse_layer_idx": True}, {"activation_function": "tanh"}],
    ids=lambda setting: next(iter(setting)),
)
def test_what_is_not_computed_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(NotCoveredError):
        Gpt2Backbone(GPT2LMHeadModel(GPT2Config(**SIZE | setting)), torch.float32)


def test_maps_with_adapters_are_refused(shaken: Any) -> None:
    model = GPT2LMHeadModel(GPT2Config(**SIZE))
    model.transformer.h[0].attn.c_proj = torch.nn.Linear(64, 64)
    with pytest.raises(NotCoveredError, match="Linear"):
        Gpt2Backbone(model, torch.float32)
