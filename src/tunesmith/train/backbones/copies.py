"""Copies of parameters to compute with: several put together into one matrix, in the numbers of the backbone.

Parameters stay float32 and stay the model's own; where the backbone computes in float32 too they become views
of the copy, so that nothing is there twice. A copy is a leaf of the graph; its gradient goes into the float32
gradients of its parameters as soon as it is complete.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """Where a parameter, times `scale`, lies in a copy."""

    parameter: nn.Parameter
    row: int = 0
    column: int = 0
    scale: float = 1.0

    def of(self, whole: Tensor) -> Tensor:
        """The part of `whole` that belongs to the parameter."""
        rows = slice(self.row, self.row + self.parameter.shape[0])
        if self.parameter.ndim == 1:
            return whole[rows]
        return whole[rows, self.column : self.column + self.parameter.shape[1]]

    def is_whole_rows_of(self, whole: Tensor) -> bool:
        """Whether the parameter could be a view of its part of `whole` and no one would notice."""
        return (
            self.scale == 1
            and whole.dtype == self.parameter.dtype
            and whole.shape[1:] == self.parameter.shape[1:]
        )


class Copies:
    """The copies of a model in one number format."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self._all: dict[tuple[tuple[int, int, int, float], ...], tuple[tuple[Slot, ...], Tensor]] = {}

    def of(self, slots: Iterable[Slot], rows: int = 0) -> Tensor:
        """A copy of what the slots name, with at least so many rows; the same for the same slots."""
        given = tuple(slots)
        key = tuple((id(slot.parameter), slot.row, slot.column, slot.scale) for slot in given)
        if key not in self._all:
            self._all[key] = given, self._made(given, rows)
        return self._all[key][1]

    def _made(self, slots: tuple[Slot, ...], rows: int) -> Tensor:
        first = slots[0].parameter
        least = max(rows, *(slot.row + slot.parameter.shape[0] for slot in slots))
        if least == len(first) and slots[0].scale == 1 and first.dtype == self.dtype:
            return first
        shape = [least]
        if first.ndim == 2:
            shape.append(max(slot.column + slot.parameter.shape[1] for slot in slots))
        copy = torch.zeros(shape, dtype=self.dtype)
        _fill(copy, slots)
        for slot in slots:
            if slot.is_whole_rows_of(copy):
                slot.parameter.data = slot.of(copy)
        if any(slot.parameter.requires_grad for slot in slots):
            copy.requires_grad_()
            copy.register_post_accumulate_grad_hook(lambda leaf: _hand_on(leaf, slots))
        return copy

    def renew(self) -> None:
        """Take over the values of all parameters that learn."""
        for slots, copy in self._all.values():
            if copy.requires_grad and not isinstance(copy, nn.Parameter):
                _fill(copy, slots)


@torch.no_grad()
def _fill(copy: Tensor, slots: tuple[Slot, ...]) -> None:
    for slot in slots:
        if not _is_view(slot.parameter, copy):
            slot.of(copy).copy_(slot.parameter if slot.scale == 1 else slot.parameter * slot.scale)


def _is_view(parameter: Tensor, copy: Tensor) -> bool:
    return parameter.untyped_storage().data_ptr() == copy.untyped_storage().data_ptr()


def _hand_on(copy: Tensor, slots: tuple[Slot, ...]) -> None:
    """Add the gradient of a copy to those of its parameters."""
    found, copy.grad = copy.grad, None
    if found is None:
        return
    for slot in slots:
        parameter = slot.parameter
        if not parameter.requires_grad:
            continue
        part = slot.of(found)
        if parameter.grad is not None:
            parameter.grad.add_(part, alpha=slot.scale)
        else:
            parameter.grad = part if slot.is_whole_rows_of(found) else part.to(parameter.dtype) * slot.scale
