"""Optimizers that torch does not have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch.optim import Optimizer


class Lion(Optimizer):
    """Evolved sign momentum (Chen et al. 2023): the sign of a mean of gradients, decay apart from it."""

    def __init__(self, groups: Iterable[dict[str, Any]], *, lr: float, betas: tuple[float, float]) -> None:
        super().__init__(groups, {"lr": lr, "betas": betas, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)

    def _update(self, parameter: torch.Tensor, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["mean"] = torch.zeros_like(parameter)
        near, far = group["betas"]
        direction = torch.lerp(gradient, state["mean"], near).sign_()
        parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(direction, alpha=-group["lr"])
        state["mean"].lerp_(gradient, 1 - far)


class Divided(Optimizer):
    """Several optimizers as one, each for groups of its own; all state and all groups are kept here."""

    def __init__(self, parts: Sequence[Optimizer]) -> None:
        self._parts = parts
        groups = [
            {**group, "part": number} for number, part in enumerate(parts) for group in part.param_groups
        ]
        super().__init__(groups, {})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Let each part update what is its own."""
        for group in self.param_groups:
            part = self._parts[group["part"]]
            part.param_groups, part.state = [group], self.state
            part.step()
