"""The steps of a layer with gradients written by hand: fewer passes over memory, and less kept for later.

All take and give [tokens, width] in the numbers of the backbone; sums are made in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Root mean square norm, x / rms(x) * weight (Zhang and Sennrich 2019)."""
    if x.is_cuda:
        # One kernel there; many small ones would keep the processor waiting.
        return functional.rms_norm(x, weight.shape, weight, eps)
    found: Tensor = _RmsNorm.apply(x, weight, eps)  # type: ignore[no-untyped-call]
    return found


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        inverse = torch.rsqrt(x.float().square().mean(-1, keepdim=True) + eps)  # [tokens, 1]
        normal = (x * inverse).to(x.dtype)
        ctx.save_for_backward(normal, inverse, weight)
        return normal * weight

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, None]:
        normal, inverse, weight = ctx.saved_tensors
        of_normal = gradient * weight
        along = (of_normal * normal).mean(-1, keepdim=True, dtype=torch.float32)
        of_x = ((of_normal - normal * along) * inverse).to(gradient.dtype)
        of_weight = (gradient * normal).sum(0) if ctx.needs_input_grad[1] else None
        return of_x, of_weight, None


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021): the halves of each head turned by an angle.

    x: [tokens, heads, d]; cos, sin: [tokens, 1, d/2].
    """
    found: Tensor = _Rotate.apply(x, cos, sin)  # type: ignore[no-untyped-call]
    return found


class _Rotate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _turned(x, cos, sin, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        return _turned(gradient, cos, sin, -1), None, None


def _turned(x: Tensor, cos: Tensor, sin: Tensor, direction: int) -> Tensor:
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    turned = torch.empty_like(x, memory_format=torch.contiguous_format)
    torch.mul(first, cos, out=turned[..., :half]).addcmul_(second, sin, value=-direction)
    torch.mul(second, cos, out=turned[..., half:]).addcmul_(first, sin, value=direction)
    return turned


def gated_silu(both: Tensor) -> Tensor:
    """silu(gate) * up of both side by side (Shazeer 2020): [tokens, 2 * width] -> [tokens, width]."""
    found: Tensor = _GatedSilu.apply(both)  # type: ignore[no-untyped-call]
    return found


class _GatedSilu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, both: Tensor) -> Tensor:
        ctx.save_for_backward(both)
        gate, up = both.chunk(2, -1)
        return functional.silu(gate).mul_(up)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (both,) = ctx.saved_tensors
        gate, up = both.chunk(2, -1)
        found = torch.empty_like(both)
        of_gate, of_up = found.chunk(2, -1)
        torch.ops.aten.silu_backward.grad_input(gradient * up, gate, grad_input=of_gate)
        torch.mul(functional.silu(gate), gradient, out=of_up)
        return found


def low_rank(
    x: Tensor, weight: Callable[[], Tensor], bias: Tensor | None, down: Tensor, up: Tensor
) -> Tensor:
    """A frozen map plus trained ones of low rank: x W' + (x A') B' (Hu et al. 2021).

    x: [tokens, in], weight: gives [out, in], again in the backward pass; bias: [out] or None,
    down (A): [ranks, in], up (B): [out, ranks], which has zeros where an output belongs to another adapter.
    """
    found: Tensor = _LowRank.apply(x, weight, bias, down, up)  # type: ignore[no-untyped-call]
    return found


class _LowRank(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Callable[[], Tensor], bias: Tensor | None, down: Tensor, up: Tensor
    ) -> Tensor:
        low = functional.linear(x, down)
        ctx.weight = weight
        ctx.save_for_backward(x, down, up, low)
        return functional.linear(x, weight(), bias).addmm_(low, up.T)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None, None, Tensor, Tensor]:
        x, down, up, low = ctx.saved_tensors
        of_low = gradient @ up
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = (gradient @ ctx.weight()).addmm_(of_low, down)
        return of_x, None, None, of_low.T @ x, gradient.T @ low
