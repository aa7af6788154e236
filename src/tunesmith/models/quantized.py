"""Frozen linear maps whose weights are kept in 8 or 4 bits, and are floats only while they are used.

`int8`: a whole number of -127 to 127 times one scale for each row. `int4`: NF4 of QLoRA (Dettmers et al.
2023), one of 16 quantiles of a normal distribution times one scale for every 64 numbers of a row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

Numbers = Literal["float32", "int8", "int4"]

_BITS = {"int8": 8.0, "int4": 4.5}
_GROUP = 64
# QLoRA, appendix E.
_NF4 = torch.tensor([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023,
    1.0,
])  # fmt: skip
_MIDDLES = (_NF4[1:] + _NF4[:-1]) / 2
# What each byte of two codes means; a pair of floats is looked up as one number of 8 bytes, which is quicker.
_PAIRS = torch.cartesian_prod(_NF4, _NF4).view(torch.float64).squeeze(1)
_SMALLEST = torch.finfo(torch.float32).tiny


class QuantizedLinear(nn.Module):
    """A frozen linear map of a weight [out, in] that is kept in `numbers`."""

    def __init__(self, weight: Tensor, bias: nn.Parameter | None, numbers: Literal["int8", "int4"]) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.bias = bias
        self._numbers = numbers
        codes, scales = (_to_int8 if numbers == "int8" else _to_nf4)(weight.detach().float())
        self.codes: Tensor
        self.scales: Tensor
        self.register_buffer("codes", codes)
        self.register_buffer("scales", scales)

    def forward(self, x: Tensor) -> Tensor:
        """x: [..., in] -> [..., out]."""
        return frozen_linear(x, partial(self.floats, x.dtype), self.bias)

    def floats(self, dtype: torch.dtype) -> Tensor:
        """The weight [out, in] that is computed with."""
        if self._numbers == "int8":
            return self.codes.float().mul_(self.scales).to(dtype)
        return _from_nf4(self.codes, self.scales)[:, : self.in_features].to(dtype)

    @property
    def weight(self) -> Tensor:
        """The same in float32: torch's own encoder layers multiply by it."""
        return self.floats(torch.float32)


def frozen_linear(x: Tensor, weight: Callable[[], Tensor], bias: Tensor | None) -> Tensor:
    """The map x W' + bias: `weight` gives W [out, in], and again in the backward pass, as it is not kept."""
    out: Tensor = _FrozenLinear.apply(x, weight, bias)  # type: ignore[no-untyped-call]
    return out


class _FrozenLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Callable[[], Tensor], bias: Tensor | None) -> Tensor:
        ctx.weight = weight
        return functional.linear(x, weight(), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None, None]:
        # Autocasting gives gradients in other numbers than the weight.
        of_x = gradient @ ctx.weight().to(gradient.dtype) if ctx.needs_input_grad[0] else None
        return of_x, None, None


def keep(model: nn.Module, numbers: Numbers) -> None:
    """Keep the weights of all frozen linear maps but the output head in `numbers` from now on."""
    if numbers == "float32":
        return
    # One after another: what is replaced is free before the next one is made.
    for name in _frozen(model):
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, _of(model.get_submodule(name), numbers))
    # What is left may be a view of a file, all of which would stay mapped.
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()


def saved(model: nn.Module, numbers: Literal["int8", "int4"], bits: int) -> int:
    """Bytes that `keep` would make free, where numbers of so many bits are computed with."""
    count = sum(model.get_parameter(f"{name}.weight").numel() for name in _frozen(model))
    return round((bits - _BITS[numbers]) / 8 * count)


def in_passing(model: nn.Module) -> int:
    """Bytes of floats that are there at the same time while a model computes."""
    sizes = [m.out_features * m.in_features for m in model.modules() if isinstance(m, QuantizedLinear)]
    # Two maps that are computed as one, each for itself and both together.
    return 4 * torch.float32.itemsize * max(sizes, default=0)


def _frozen(model: nn.Module) -> list[str]:
    head = model.get_output_embeddings()  # type: ignore[operator]
    return [
        name
        for name, module in model.named_modules()
        # A class of its own may compute something else.
        if type(module) in (nn.Linear, Conv1D)
        and module is not head
        and not any(parameter.requires_grad for parameter in module.parameters())
    ]


def _of(module: Any, numbers: Literal["int8", "int4"]) -> QuantizedLinear:
    # GPT-2's Conv1D keeps its weight as [in, out].
    weight = module.weight.T.contiguous() if isinstance(module, Conv1D) else module.weight
    return QuantizedLinear(weight, module.bias, numbers)


def _to_int8(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Codes [out, in] and scales [out, 1]."""
    scales = (weight.abs().amax(1, keepdim=True) / 127).clamp_min(_SMALLEST)
    return (weight / scales).round().to(torch.int8), scales


def _to_nf4(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Codes, two in a byte, [out, groups, 32] and scales [out, groups, 1]."""
    groups = functional.pad(weight, (0, -weight.shape[1] % _GROUP)).unflatten(1, (-1, _GROUP))
    scales = groups.abs().amax(2, keepdim=True).clamp_min(_SMALLEST)
    codes = torch.bucketize(groups / scales, _MIDDLES.to(weight.device), out_int32=True).to(torch.uint8)
    return codes[..., ::2] << 4 | codes[..., 1::2], scales


def _from_nf4(codes: Tensor, scales: Tensor) -> Tensor:
    """The weight [out, groups * 64]."""
    found = _PAIRS.to(codes.device).index_select(0, codes.flatten().int())
    return found.view(torch.float32).view(*codes.shape[:2], _GROUP).mul_(scales).flatten(1)
