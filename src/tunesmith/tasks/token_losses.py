"""Losses of tokens, a tile of rows at a time: the logits of all rows never exist at once.

Each tile's gradient is made while its logits are there, so that nothing is computed twice and the backward
pass only scales what is known. A loss may be any function of (logits, targets) that gives one value per row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from tunesmith.models.backbone import Head

Loss = Callable[[Tensor, Tensor], Tensor]
# Rows of a tile, and logits: a small vocabulary lets a tile have more rows.
_TILE, _LOGITS = 256, 1 << 22


def weighted_loss(head: Head, hidden: Tensor, targets: Tensor, weights: Tensor, loss: Loss) -> Tensor:
    """The sum of the losses of rows, each times its weight.

    hidden: [rows, hidden], targets: [rows] token ids, weights: [rows] -> a scalar, float32.
    """
    if not torch.is_grad_enabled():
        parts = [
            (loss(head.project(hidden[tile]).float(), targets[tile]) * weights[tile]).sum()
            for tile in _tiles(len(targets), head)
        ]
        return torch.stack(parts).sum() if parts else hidden.new_zeros((), dtype=torch.float32)
    total: Tensor = _WeightedLoss.apply(hidden, head, targets, weights, loss, *head.parameters)  # type: ignore[no-untyped-call]
    return total


def log_probabilities(head: Head, hidden: Tensor, targets: Tensor) -> Tensor:
    """The log-probability of each target: hidden [rows, hidden], targets [rows] -> [rows], float32."""
    if not torch.is_grad_enabled():
        parts = [_chosen(head.project(hidden[tile]), targets[tile]) for tile in _tiles(len(targets), head)]
        return torch.cat(parts) if parts else hidden.new_zeros(0, dtype=torch.float32)
    found: Tensor = _LogProbabilities.apply(hidden, head, targets, *head.parameters)  # type: ignore[no-untyped-call]
    return found


def judged(head: Head, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The log-probability of each target, and whether nothing is likelier: [rows] each, without gradient."""
    found: list[tuple[Tensor, Tensor]] = []
    for tile in _tiles(len(targets), head):
        logits = head.project(hidden[tile])
        found.append((_chosen(logits, targets[tile]), logits.argmax(-1) == targets[tile]))
    if not found:
        return hidden.new_zeros(0, dtype=torch.float32), targets.new_zeros(0, dtype=torch.bool)
    likely, right = zip(*found, strict=True)
    return torch.cat(likely), torch.cat(right)


def _tiles(rows: int, head: Head) -> Iterator[slice]:
    words = max(map(len, head.parameters), default=_LOGITS)
    size = max(_TILE, _LOGITS // words)
    return (slice(i, min(i + size, rows)) for i in range(0, rows, size))


def _chosen(logits: Tensor, targets: Tensor) -> Tensor:
    return -functional.cross_entropy(logits.float(), targets, reduction="none")


class _WeightedLoss(torch.autograd.Function):
    """The gradients of hidden states and head are made in the forward pass, for a total of weight one."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        head: Head,
        targets: Tensor,
        weights: Tensor,
        loss: Loss,
        *parameters: Tensor,
    ) -> Tensor:
        total = torch.zeros((), dtype=torch.float32)
        of_hidden = torch.empty_like(hidden) if hidden.requires_grad else None
        of_head = [torch.zeros_like(p, dtype=torch.float32) if p.requires_grad else None for p in parameters]
        for tile in _tiles(len(targets), head):
            with torch.enable_grad():
                rows = hidden[tile].detach().requires_grad_(hidden.requires_grad)
                part = (loss(head.project(rows).float(), targets[tile]) * weights[tile]).sum()
            total += part.detach()
            found = _gradients(part, rows, parameters)
            if of_hidden is not None:
                of_hidden[tile] = next(found)
            for known in of_head:
                if known is not None:
                    known += next(found)
        ctx.save_for_backward(of_hidden, *of_head)
        ctx.kinds = [p.dtype for p in parameters]
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Any, ...]:
        of_hidden, *of_head = ctx.saved_tensors
        scaled = [
            None if known is None else (known * scale).to(kind)
            for known, kind in zip(of_head, ctx.kinds, strict=True)
        ]
        return (None if of_hidden is None else of_hidden * scale, None, None, None, None, *scaled)


class _LogProbabilities(torch.autograd.Function):
    """Rows do not depend on each other: the gradient of each row's own value is known in the forward pass.

    That of the head depends on what the values are used for; its logits are computed again.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, head: Head, targets: Tensor, *parameters: Tensor) -> Tensor:
        values = torch.empty(len(targets), dtype=torch.float32)
        of_hidden = torch.empty_like(hidden) if hidden.requires_grad else None
        for tile in _tiles(len(targets), head):
            with torch.enable_grad():
                rows = hidden[tile].detach().requires_grad_(hidden.requires_grad)
                part = _chosen(head.project(rows), targets[tile])
                total = part.sum()
            values[tile] = part.detach()
            if of_hidden is not None:
                (of_hidden[tile],) = torch.autograd.grad(total, [rows])
        ctx.save_for_backward(hidden, of_hidden, targets)
        ctx.head, ctx.parameters = head, parameters
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Any, ...]:
        hidden, of_hidden, targets = ctx.saved_tensors
        learned = [p for p in ctx.parameters if p.requires_grad]
        sums = [torch.zeros_like(p, dtype=torch.float32) for p in learned]
        for tile in _tiles(len(targets), ctx.head) if learned else ():
            with torch.enable_grad():
                part = (_chosen(ctx.head.project(hidden[tile].detach()), targets[tile]) * scale[tile]).sum()
            for known, more in zip(sums, torch.autograd.grad(part, learned), strict=True):
                known += more
        found = iter(sums)
        of_head = [next(found).to(p.dtype) if p.requires_grad else None for p in ctx.parameters]
        return (None if of_hidden is None else of_hidden * scale[:, None], None, None, *of_head)


def _gradients(value: Tensor, rows: Tensor, parameters: tuple[Tensor, ...]) -> Iterator[Tensor]:
    """The gradients of what learns among `rows` and `parameters`, in this order."""
    learned = [tensor for tensor in (rows, *parameters) if tensor.requires_grad]
    return iter(torch.autograd.grad(value, learned))
