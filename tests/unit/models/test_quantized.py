"""A frozen base in few bits: near its floats, and what is learned on it is learned as on those floats."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Literal

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from tunesmith.models import adapters, quantized
from tunesmith.models.quantized import QuantizedLinear

Few = Literal["int8", "int4"]
FEW: tuple[Few, ...] = ("int8", "int4")
few = pytest.mark.parametrize("numbers", FEW)


def llama() -> nn.Module:
    torch.manual_seed(0)
    size = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    return LlamaForCausalLM(LlamaConfig(vocab_size=90, **size))


def gpt2() -> nn.Module:
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=90, n_embd=64, n_layer=2, n_head=4))


def kept(model: nn.Module, numbers: quantized.Numbers) -> nn.Module:
    """The model with adapters, whose second matrix is no longer zero, on a base in `numbers`."""
    adapters.add(model, rank=4, alpha=8.0)
    for _, adapter in adapters.adapters(model):
        nn.init.normal_(adapter.lora_B, std=0.05)
    quantized.keep(model, numbers)
    return model.eval()


def of_floats(model: nn.Module) -> nn.Module:
    """The same with every quantized map made one of floats."""
    copy = deepcopy(model)
    for name, module in list(copy.named_modules()):
        if isinstance(module, QuantizedLinear):
            plain = nn.Linear(module.in_features, module.out_features, bias=module.bias is not None)
            plain.weight, plain.bias = nn.Parameter(module.weight), module.bias  # type: ignore[assignment]
            copy.set_submodule(name, plain.requires_grad_(requires_grad=False))
    return copy


def learned(model: nn.Module, *, autocast: bool = False) -> Iterator[tuple[str, torch.Tensor]]:
    ids = torch.arange(60).view(2, 30)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        model(input_ids=ids, labels=ids).loss.backward()
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            yield name, parameter.grad


@pytest.mark.parametrize(("numbers", "bits"), [("int8", 8), ("int4", 4.5)])
def test_a_weight_is_off_by_half_a_step_at_most_and_takes_few_bits(numbers: Few, bits: float) -> None:
    weight = torch.randn(40, 128, generator=torch.Generator().manual_seed(0))
    made = QuantizedLinear(weight, None, numbers)
    off = (made.weight - weight).abs().unflatten(1, (made.scales[0].numel(), -1))  # [out, scales, -1]
    # In scales: a whole one, and the widest gap of NF4, which is between -1 and -0.696.
    step = 1.0 if numbers == "int8" else 0.3039
    assert (off <= made.scales.view(40, -1, 1) * step / 2 + 1e-6).all()
    held = made.codes.nbytes + made.scales.nbytes
    assert held == pytest.approx(weight.numel() * bits / 8, abs=4 * 40)


def test_rows_of_zeros_and_of_any_length_are_kept() -> None:
    weight = torch.zeros(3, 70)
    weight[1, 69], weight[2, 3] = 2.0, -0.5
    for numbers in FEW:
        torch.testing.assert_close(QuantizedLinear(weight, None, numbers).weight, weight)


@few
@pytest.mark.parametrize("make", [llama, gpt2])
def test_adapters_learn_as_on_the_floats_that_the_base_amounts_to(make: Any, numbers: Few) -> None:
    model = kept(make(), numbers)
    found, wanted = dict(learned(model)), dict(learned(of_floats(model)))
    assert found.keys() == wanted.keys()
    assert all("lora" in name for name in found)
    for name, value in wanted.items():
        assert (found[name] - value).norm() <= 1e-6 * value.norm()


@few
def test_autocasting_reaches_the_adapters_too(numbers: Few) -> None:
    model = kept(llama(), numbers)
    wanted = dict(learned(of_floats(model)))
    for name, value in learned(model, autocast=True):
        assert (value - wanted[name]).norm() <= 0.05 * wanted[name].norm()


def test_the_head_and_what_learns_stay_floats() -> None:
    model = kept(llama(), "int8")
    assert type(model.get_output_embeddings()) is nn.Linear  # type: ignore[operator]
    assert sum(isinstance(module, QuantizedLinear) for module in model.modules()) == 2 * 7
    untouched = llama()
    quantized.keep(untouched, "int4")
    assert not any(isinstance(module, QuantizedLinear) for module in untouched.modules())


@few
def test_what_is_saved_is_known_before(numbers: Few) -> None:
    model = kept(llama(), "float32")
    before, told = held(model), quantized.saved(model, numbers, bits=32)
    quantized.keep(model, numbers)
    # A scale for each row weighs more where rows are short.
    assert before - held(model) == pytest.approx(told, rel=0.03)


def held(model: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in [*model.parameters(), *model.buffers()])
