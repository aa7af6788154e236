"""Decoders computed for speed: the loss and every gradient are those of transformers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from tunesmith.models import quantized
from tunesmith.models.backbone import Generic
from tunesmith.train.backbones import attention
from tunesmith.train.backbones.llama import LlamaBackbone
from tunesmith.train.backbones.maps import NotCoveredError

SIZE: dict[str, Any] = {
    "vocab_size": 300, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 96,
}  # fmt: skip
SCALED = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0,
          "high_freq_factor": 4.0, "original_max_position_embeddings": 32}  # fmt: skip
FAMILIES: dict[str, Callable[[], Any]] = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZE, tie_word_embeddings=True)),
    "llama3": lambda: LlamaForCausalLM(LlamaConfig(**SIZE, rope_parameters=SCALED)),
    "mistral": lambda: MistralForCausalLM(MistralConfig(**SIZE, sliding_window=None)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZE)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SIZE, head_dim=32)),
}


@pytest.mark.parametrize("common", [0, 40], ids=["apart", "shared"])
@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
@pytest.mark.parametrize("family", FAMILIES)
def test_loss_and_gradients_are_those_of_transformers(
    family: str, lora: bool, common: int, shaken: Any, rows: Any, gradients: Any, apart: Any
) -> None:
    model = shaken(FAMILIES[family](), lora=lora)
    given = rows(common=common)
    loss, wanted = gradients(model, Generic(model, speaks=True), given)
    found_loss, found = gradients(model, LlamaBackbone(model, torch.float32), given)
    assert found_loss == pytest.approx(loss, rel=1e-4, abs=1e-2)
    assert apart(found, wanted) < 1e-5


@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
def test_in_bf16_gradients_are_near_those_of_float32(
    lora: bool, shaken: Any, rows: Any, gradients: Any, apart: Any
) -> None:
    model = shaken(FAMILIES["llama"](), lora=lora)
    _, wanted = gradients(model, Generic(model, speaks=True), rows())
    _, found = gradients(model, LlamaBackbone(model, torch.bfloat16), rows())
    assert 0 < apart(found, wanted) < 1.5e-2
    assert {value.dtype for value in found.values()} == {torch.float32}


def test_adapters_may_be_on_some_maps_only(shaken: Any, rows: Any, gradients: Any, apart: Any) -> None:
    model = shaken(FAMILIES["qwen2"](), lora=True, targets=["q_proj", "v_proj", "up_proj"])
    _, wanted = gradients(model, Generic(model, speaks=True), rows())
    _, found = gradients(model, LlamaBackbone(model, torch.float32), rows())
    assert apart(found, wanted) < 1e-5


@pytest.mark.parametrize("numbers", ["int8", "int4"])
@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "up_proj"]], ids=["all", "some"])
def test_a_base_in_few_bits_is_computed_with_the_same_floats(
    numbers: Any, targets: Any, shaken: Any, rows: Any, gradients: Any, apart: Any
) -> None:
    model = shaken(FAMILIES["qwen2"](), lora=True, targets=targets)
    quantized.keep(model, numbers)
    _, wanted = gradients(model, Generic(model, speaks=True), rows())
    backbone = LlamaBackbone(model, torch.float32)
    _, found = gradients(model, backbone, rows())
    assert apart(found, wanted) < 1e-5


def test_places_can_be_asked_for_through_the_shared_beginning(
    shaken: Any, rows: Any, gradients: Any, apart: Any
) -> None:
    model = shaken(FAMILIES["llama"](), lora=True)
    at = torch.tensor([0, 3, 44, 50, 120, 121])
    _, wanted = gradients(model, Generic(model, speaks=True), rows(common=40), at)
    _, found = gradients(model, LlamaBackbone(model, torch.float32), rows(common=40), at)
    assert apart(found, wanted) < 1e-5


def test_pairs_share_the_beginning_of_each(shaken: Any, rows: Any, gradients: Any, apart: Any) -> None:
    model = shaken(FAMILIES["qwen3"]())
    given = [*rows((5, 9), common=30), *rows((3, 7), common=50), *rows((4,))]
    _, wanted = gradients(model, Generic(model, speaks=True), given)
    _, found = gradients(model, LlamaBackbone(model, torch.float32), given)
    assert apart(found, wanted) < 1e-5


@pytest.mark.parametrize("common", [0, 40], ids=["apart", "shared"])
def test_long_rows_keep_no_probabilities(
    common: int, shaken: Any, rows: Any, gradients: Any, apart: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shaken(FAMILIES["llama"](), lora=True)
    _, wanted = gradients(model, Generic(model, speaks=True), rows(common=common))
    monkeypatch.setattr(attention, "_KEPT_BYTES", 1)
    monkeypatch.setattr(attention, "_shares", None)
    _, found = gradients(model, LlamaBackbone(model, torch.float32), rows(common=common))
    assert apart(found, wanted) < 1e-5


def test_the_head_is_tied_where_the_model_ties_it(shaken: Any, rows: Any, apart: Any) -> None:
    model = shaken(FAMILIES["llama"]())
    found = []
    for backbone in (Generic(model, speaks=True), LlamaBackbone(model, torch.bfloat16)):
        model.zero_grad(set_to_none=True)
        logits = backbone.head.project(
            backbone.hidden(rows()).to(torch.float32 if not found else torch.bfloat16)
        )
        functional.cross_entropy(logits.float(), torch.zeros(len(logits), dtype=torch.long)).backward()
        found.append({"embedding": model.get_input_embeddings().weight.grad.clone()})
    assert apart(found[1], found[0]) < 0.05


def test_after_an_update_the_new_values_are_computed_with(shaken: Any, rows: Any) -> None:
    model = shaken(FAMILIES["llama"](), lora=True)
    backbone = LlamaBackbone(model, torch.bfloat16)
    with torch.no_grad():
        before = backbone.hidden(rows())
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter *= 2
        assert torch.equal(backbone.hidden(rows()), before)
        backbone.renew()
        assert not torch.equal(backbone.hidden(rows()), before)


@pytest.mark.parametrize(
    "model",
    [
        lambda: LlamaForCausalLM(LlamaConfig(**SIZE, hidden_act="gelu")),
        lambda: LlamaForCausalLM(LlamaConfig(**SIZE, attention_dropout=0.1)),
        lambda: MistralForCausalLM(MistralConfig(**SIZE, sliding_window=8)),
    ],
    ids=["activation", "dropout", "window"],
)
def test_what_is_not_computed_is_refused(model: Callable[[], Any]) -> None:
    with pytest.raises(NotCoveredError):
        LlamaBackbone(model(), torch.float32)


def test_a_map_of_another_class_is_refused() -> None:
    class Scaled(torch.nn.Linear):
        pass

    model: Any = FAMILIES["llama"]()
    model.base_model.layers[0].mlp.up_proj.__class__ = Scaled
    with pytest.raises(NotCoveredError, match="Scaled"):
        LlamaBackbone(model, torch.float32)


def test_layers_in_which_nothing_learns_are_computed_once_for_each_row(
    shaken: Any, rows: Any, gradients: Any, apart: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shaken(FAMILIES["llama"](), lora=True)
    for name, parameter in model.named_parameters():
        if ".layers.0." in name:
            parameter.requires_grad_(requires_grad=False)
    given = rows(common=20)
    _, wanted = gradients(model, Generic(model, speaks=True), given)
    backbone = LlamaBackbone(model, torch.float32)
    computed: list[int] = []
    after = backbone._after_frozen
    monkeypatch.setattr(backbone._memory, "_compute", lambda row: computed.append(len(row)) or after(row))
    loss, found = gradients(model, backbone, given)
    assert apart(found, wanted) < 1e-5
    assert computed == [len(row) for row in given]
    # In other company the states are the same to the bit.
    again = gradients(model, backbone, given)
    assert again[0] == loss
    assert apart(again[1], found) == 0
    assert len(computed) == len(given)


def test_parameters_are_not_there_twice_in_float32(shaken: Any) -> None:
    model = shaken(FAMILIES["llama"]())
    before = {name: value.detach().clone() for name, value in model.state_dict().items()}
    LlamaBackbone(model, torch.float32)
    attention = model.base_model.layers[0].self_attn
    places = {part.weight.untyped_storage().data_ptr() for part in (attention.q_proj, attention.k_proj)}
    assert len(places) == 1
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_model_whose_parameters_lie_together_is_saved_as_before(shaken: Any, tmp_path: Any) -> None:
    model = shaken(FAMILIES["llama"]())
    before = {name: value.detach().clone() for name, value in model.state_dict().items()}
    LlamaBackbone(model, torch.float32)
    model.save_pretrained(tmp_path)
    found = LlamaForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).state_dict()
    assert found.keys() == before.keys()
    assert all(torch.equal(found[name], value) for name, value in before.items())
