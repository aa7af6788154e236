"""The gradient of a loss that compares all rows of a batch, with the memory of a micro-batch.

What is compared is computed first without gradient, then once more with it, part by part, under the same
dropout: gradient caching (Gao et al. 2021). Without it the loss would depend on the micro-batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from itertools import chain
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tunesmith.models.backbone import Backbone
from tunesmith.tasks.task import Comparing, Example

if TYPE_CHECKING:
    from tunesmith.tasks.task import Loss


def backward(
    task: Comparing, backbone: Backbone, parts: Sequence[Sequence[Example]], loss: Loss, targets: float
) -> float:
    """Add up the gradients of the mean loss over the rows of all parts; returns that loss."""
    rows = list(chain.from_iterable(parts))
    states: list[Tensor] = []
    found: list[Tensor] = []
    # One part is computed once.
    with nullcontext() if len(parts) == 1 else torch.no_grad():
        for part in parts:
            states.append(torch.get_rng_state())
            found.append(_vectors(task, backbone, part))
    whole = found[0] if len(parts) == 1 else torch.cat(found).requires_grad_()
    mean = task.compare(whole, rows, loss) / targets
    mean.backward()
    if len(parts) > 1 and whole.grad is not None:
        gradients = torch.split(whole.grad, [len(part) for part in parts])
        for part, state, gradient in zip(parts, states, gradients, strict=True):
            torch.set_rng_state(state)
            _vectors(task, backbone, part).backward(gradient)
    return float(mean.detach())


def _vectors(task: Comparing, backbone: Backbone, part: Sequence[Example]) -> Tensor:
    with backbone.computing():
        return task.vectors(backbone, part)
