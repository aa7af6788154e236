"""Optimizers: from groups of parameters to a torch optimizer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Lt

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

Beta = Annotated[float, Ge(0), Lt(1)]


def adamw(
    parameters: Iterable[nn.Parameter],
    *,
    lr: Annotated[float, Gt(0)] = 1e-4,
    weight_decay: Annotated[float, Ge(0)] = 0.01,
    betas: tuple[Beta, Beta] = (0.9, 0.999),
    eps: Annotated[float, Gt(0)] = 1e-8,
) -> Optimizer:
    """AdamW (Loshchilov and Hutter 2019); biases and norms, the vectors, are not decayed."""
    from torch.optim import AdamW

    found = list(parameters)
    groups = [
        {"params": [p for p in found if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in found if p.ndim < 2], "weight_decay": 0.0},
    ]
    return AdamW([group for group in groups if group["params"]], lr=lr, betas=betas, eps=eps, fused=True)
