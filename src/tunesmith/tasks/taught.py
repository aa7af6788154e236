"""A loss that also asks a teacher, as one of logits and row numbers, which is what tiles are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from tunesmith.models.backbone import Backbone, Rows
    from tunesmith.tasks.task import Loss


def compared(
    loss: Callable[..., Tensor], teacher: Backbone, rows: Rows, before: Tensor, target: Tensor
) -> Loss:
    """A loss of (logits, numbers of targets); the teacher's logits exist for a tile of them at a time.

    `before` [targets] are the places among all tokens of the rows that the targets [targets] follow.
    """
    with torch.no_grad(), teacher.computing():
        hidden = teacher.hidden(rows, before)

    def of_tile(logits: Tensor, numbers: Tensor) -> Tensor:
        with torch.no_grad(), teacher.computing():
            said = teacher.head.project(hidden[numbers])
        return loss(logits, target[numbers], said.float())

    return of_tile
