"""Linear maps of a model to compute with: several over the same input as one, with their adapters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional

from tunesmith.models.adapters import LoraLinear
from tunesmith.models.quantized import QuantizedLinear, frozen_linear
from tunesmith.train.backbones.copies import Copies, Slot
from tunesmith.train.backbones.functions import low_rank

Map = Callable[[Tensor], Tensor]
Weight = Callable[[], Tensor]
_Linear = nn.Linear | QuantizedLinear


class NotCoveredError(Exception):
    """A model has a part that is not computed here."""


def merged(modules: Sequence[nn.Module], copies: Copies) -> Map:
    """One map [tokens, in] -> [tokens, sum of outs] of modules that are linear, quantized, or LoRA on one.

    Raises:
        NotCoveredError: when one is anything else.
    """
    adapters = [module if isinstance(module, LoraLinear) else None for module in modules]
    linears = [_linear(module) for module in modules]
    rows = [0, *accumulate(linear.out_features for linear in linears)]
    bias = _bias(linears, rows, copies)
    quantized = any(isinstance(linear, QuantizedLinear) for linear in linears)
    weight = _quantized(linears, copies) if quantized else _copied(linears, rows, copies)
    if any(adapters):
        if weight().requires_grad or (bias is not None and bias.requires_grad):
            raise NotCoveredError("an adapter on a weight that learns as well")
        down, up = _adapters(adapters, rows, copies)
        return lambda x: low_rank(x, weight, bias, down, up)
    if quantized:
        return lambda x: frozen_linear(x, weight, bias)
    return lambda x: functional.linear(x, weight(), bias)


def _copied(linears: Sequence[_Linear], rows: Sequence[int], copies: Copies) -> Weight:
    copy = copies.of(Slot(w, row) for w, row in zip((_of(m.weight) for m in linears), rows, strict=False))
    return lambda: copy


def _quantized(linears: Sequence[_Linear], copies: Copies) -> Weight:
    """Floats of all the maps, made each time."""
    found = [linear for linear in linears if isinstance(linear, QuantizedLinear)]
    if len(found) < len(linears):
        raise NotCoveredError("quantized maps beside others")
    if len(found) == 1:
        return partial(found[0].floats, copies.dtype)
    return lambda: torch.cat([linear.floats(copies.dtype) for linear in found])


def _linear(module: nn.Module) -> _Linear:
    if isinstance(module, LoraLinear):
        if module.dropout.p:
            raise NotCoveredError("dropout of adapters")
        module = module.base
    # A class of its own may compute something else.
    covered = type(module) is nn.Linear or isinstance(module, QuantizedLinear)
    if not covered or module._forward_hooks or module._forward_pre_hooks:
        raise NotCoveredError(type(module).__name__)
    return module  # type: ignore[return-value]


def _of(weight: Tensor) -> nn.Parameter:
    if not isinstance(weight, nn.Parameter):
        raise NotCoveredError("a weight that is no parameter")
    return weight


def _bias(linears: Sequence[_Linear], rows: Sequence[int], copies: Copies) -> Tensor | None:
    found = [
        Slot(_of(linear.bias), row)
        for linear, row in zip(linears, rows, strict=False)
        if linear.bias is not None
    ]
    if found and len(found) < len(linears):
        raise NotCoveredError("maps with and without bias")
    return copies.of(found) if found else None


def _adapters(
    adapters: Sequence[LoraLinear | None], rows: Sequence[int], copies: Copies
) -> tuple[Tensor, Tensor]:
    """A of all adapters one under another, and B of each in its own corner; the scale is in B."""
    down: list[Slot] = []
    up: list[Slot] = []
    rank = 0
    for adapter, row in zip(adapters, rows, strict=False):
        if adapter is not None:
            down.append(Slot(adapter.lora_A, rank))
            up.append(Slot(adapter.lora_B, row, rank, adapter.scale))
            rank += len(adapter.lora_A)
    return copies.of(down), copies.of(up, rows=rows[-1])
