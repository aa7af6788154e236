"""Encoders computed for speed: gradients are those of transformers, and dropout can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

from tunesmith.models.backbone import Generic
from tunesmith.train.backbones import attention
from tunesmith.train.backbones.bert import BertBackbone
from tunesmith.train.backbones.maps import NotCoveredError

SIZE: dict[str, Any] = {
    "vocab_size": 300, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 96, "max_position_embeddings": 128,
}  # fmt: skip
FAMILIES: dict[str, Callable[[], Any]] = {
    "bert": lambda: BertModel(BertConfig(**SIZE), add_pooling_layer=False),
    "roberta": lambda: RobertaModel(RobertaConfig(**SIZE), add_pooling_layer=False),
}


@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_are_those_of_transformers(
    family: str, lora: bool, shaken: Any, rows: Any, gradients: Any, apart: Any
) -> None:
    model = shaken(FAMILIES[family](), lora=lora)
    loss, wanted = gradients(model, Generic(model, speaks=False), rows())
    found_loss, found = gradients(model, BertBackbone(model, torch.float32), rows())
    assert found_loss == pytest.approx(loss, rel=1e-4, abs=1e-2)
    assert apart(found, wanted) < 1e-5


def test_in_bf16_gradients_are_near_those_of_float32(
    shaken: Any, rows: Any, gradients: Any, apart: Any
) -> None:
    model = shaken(FAMILIES["bert"]())
    _, wanted = gradients(model, Generic(model, speaks=False), rows())
    _, found = gradients(model, BertBackbone(model, torch.bfloat16), rows())
    assert 0 < apart(found, wanted) < 1.5e-2


def test_long_rows_keep_no_probabilities(
    shaken: Any, rows: Any, gradients: Any, apart: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shaken(FAMILIES["bert"]())
    _, wanted = gradients(model, Generic(model, speaks=False), rows())
    monkeypatch.setattr(attention, "_KEPT_BYTES", 1)
    _, found = gradients(model, BertBackbone(model, torch.float32), rows())
    assert apart(found, wanted) < 1e-5


@pytest.mark.parametrize("kept", [1, 1 << 30])
def test_layers_computed_again_draw_the_same_dropout(
    kept: int, shaken: Any, rows: Any, gradients: Any, apart: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "_KEPT_BYTES", kept)
    model = shaken(FAMILIES["bert"]()).train()
    runs = []
    for again in (False, True):
        backbone = BertBackbone(model, torch.float32)
        if again:
            backbone.recompute()
        torch.manual_seed(1)
        runs.append(gradients(model, backbone, rows()))
    assert runs[0][0] == runs[1][0]
    assert apart(runs[1][1], runs[0][1]) < 1e-6


def test_dropout_follows_from_the_random_state_and_has_a_gradient_of_its_own(
    shaken: Any, rows: Any, gradients: Any, apart: Any
) -> None:
    model = shaken(FAMILIES["bert"]())
    backbone = BertBackbone(model, torch.float32)
    quiet = gradients(model, backbone, rows())[0]
    model.train()
    runs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        runs.append(gradients(model, backbone, rows()))
    assert runs[0][0] == runs[1][0] != runs[2][0]
    assert quiet not in {run[0] for run in runs}
    assert apart(runs[0][1], runs[1][1]) == 0 < apart(runs[0][1], runs[2][1])


def test_the_gradient_with_dropout_is_the_slope_of_the_loss(shaken: Any, rows: Any, gradients: Any) -> None:
    model = shaken(FAMILIES["bert"]()).double().train()
    backbone = BertBackbone(model, torch.float64)
    weight = model.encoder.layer[0].attention.self.query.weight

    def loss() -> tuple[float, Any]:
        torch.manual_seed(5)
        value, found = gradients(model, backbone, rows((6, 9, 9)))
        return value, found["encoder.layer.0.attention.self.query.weight"]

    _, slope = loss()
    step = slope / slope.norm() * 1e-2
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            weight += sign * step
        backbone.renew()
        values.append(loss()[0])
        with torch.no_grad():
            weight -= sign * step
    assert (values[0] - values[1]) / 2 == pytest.approx(float((slope * step).sum()), rel=1e-2)


def test_a_decoder_of_this_family_is_refused() -> None:
    with pytest.raises(NotCoveredError):
        BertBackbone(BertModel(BertConfig(**SIZE, is_decoder=True)), torch.float32)


def test_an_encoder_has_no_output_head() -> None:
    with pytest.raises(TypeError):
        _ = BertBackbone(FAMILIES["bert"](), torch.float32).head
