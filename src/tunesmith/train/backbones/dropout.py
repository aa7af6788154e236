"""Dropout (Srivastava et al. 2014) with masks of random bytes: drawing them costs a small part of a step.

Probabilities are rounded to multiples of 1/256, and what is kept is scaled by exactly what that asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_STEPS = 256


class Dropout:
    """Masks that follow from `seed` and the order in which they are drawn."""

    def __init__(self, probability: float, seed: int | Sequence[int]) -> None:
        self._dropped = round(probability * _STEPS)
        self._bytes = np.random.Generator(np.random.SFC64(seed)).bytes

    def __call__(self, x: Tensor) -> Tensor:
        """Set some of the values of x to zero, and scale the others up."""
        if not self._dropped:
            return x
        found: Tensor = _Dropped.apply(x, self)  # type: ignore[no-untyped-call]
        return found

    def mask(self, shape: Sequence[int]) -> Tensor:
        """Which values are kept: booleans of a shape."""
        drawn = np.frombuffer(self._bytes(int(np.prod(shape))), dtype=np.uint8)
        return torch.from_numpy(drawn >= self._dropped).view(*shape)

    def applied(self, x: Tensor, mask: Tensor) -> Tensor:
        """What the mask keeps of x, scaled so that its expectation stays."""
        return (x * mask).mul_(_STEPS / (_STEPS - self._dropped))


class _Dropped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dropout: Dropout) -> Tensor:
        mask = dropout.mask(x.shape)
        ctx.save_for_backward(mask)
        ctx.dropout = dropout
        return dropout.applied(x, mask)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (mask,) = ctx.saved_tensors
        return ctx.dropout.applied(gradient, mask), None
