"""Linear maps of a model to compute with: several over the same input as one, with their adapters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

from torch import Tensor, nn
from torch.nn import functional

from tunesmith.models.adapters import LoraLinear
from tunesmith.train.backbones.copies import Copies, Slot
from tunesmith.train.backbones.functions import low_rank

Map = Callable[[Tensor], Tensor]


class NotCoveredError(Exception):
    """A model has a part that is not computed here."""


def merged(modules: Sequence[nn.Module], copies: Copies) -> Map:
    """One map [tokens, in] -> [tokens, sum of outs] of modules that are `nn.Linear` or LoRA on one.

    Raises:
        NotCoveredError: when one is anything else.
    """
    adapters = [module if isinstance(module, LoraLinear) else None for module in modules]
    linears = [_linear(module) for module in modules]
    rows = [0, *accumulate(linear.out_features for linear in linears)]
    weight = copies.of(Slot(w, row) for w, row in zip((_of(m.weight) for m in linears), rows, strict=False))
    bias = _bias(linears, rows, copies)
    if not any(adapters):
        return lambda x: functional.linear(x, weight, bias)
    if weight.requires_grad or (bias is not None and bias.requires_grad):
        raise NotCoveredError("an adapter on a weight that learns as well")
    down, up = _adapters(adapters, rows, copies)
    return lambda x: low_rank(x, weight, bias, down, up)


def _linear(module: nn.Module) -> nn.Linear:
    if isinstance(module, LoraLinear):
        if module.dropout.p:
            raise NotCoveredError("dropout of adapters")
        module = module.base
    # A class of its own may compute something else.
    if type(module) is not nn.Linear or module._forward_hooks or module._forward_pre_hooks:
        raise NotCoveredError(type(module).__name__)
    return module


def _of(weight: Tensor) -> nn.Parameter:
    if not isinstance(weight, nn.Parameter):
        raise NotCoveredError("a weight that is no parameter")
    return weight


def _bias(linears: Sequence[nn.Linear], rows: Sequence[int], copies: Copies) -> Tensor | None:
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
