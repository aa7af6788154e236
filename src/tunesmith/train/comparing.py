"""The gradient of a loss that compares all rows of a batch, with the memory of a micro-batch.

What is compared is computed first without gradient, then once more with it, part by part, under the same
dropout: gradient caching (Gao et al. 2021). Without it the loss would depend on the micro-batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import chain
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tunesmith.models.backbone import Backbone
from tunesmith.tasks.task import Comparing, Example
from tunesmith.train.parallel import ALONE, Group

if TYPE_CHECKING:
    from tunesmith.tasks.task import Loss

_WHOLE = 2**31
"""In place of a part's number: the randomness of what is done with all rows of a batch."""


def backward(
    task: Comparing,
    backbone: Backbone,
    parts: Sequence[Sequence[Example]],
    loss: Loss,
    targets: float,
    draw: Callable[[int], object],
    group: Group = ALONE,
) -> float:
    """Add up the gradients of the mean loss over the rows of all parts; returns that loss.

    Each process of the `group` computes its own parts; `draw(number)` seeds the randomness of a part, and
    of the comparison.
    """
    rows = list(chain.from_iterable(parts))
    mine = group.deal(len(parts))
    # One part is computed once.
    is_one = len(parts) == group.size == 1
    with nullcontext() if is_one else torch.no_grad():
        # A process without a part makes the first one's, for its shape.
        found = [
            (number, counts, _vectors(task, backbone, parts[number], draw, number))
            for number, counts in mine or [(0, False)]
        ]
    whole = found[0][2] if is_one else _gathered(found, parts, group)
    # Whatever is drawn then depends on the step, and not on how many parts were computed before.
    draw(_WHOLE)
    mean = task.compare(whole, rows, loss) / targets
    mean.backward()
    if not is_one and whole.grad is not None:
        gradients = torch.split(whole.grad, [len(part) for part in parts])
        for number, counts in mine:
            _vectors(task, backbone, parts[number], draw, number).backward(gradients[number] * counts)
    return float(mean.detach())


def _gathered(
    found: Sequence[tuple[int, bool, Tensor]], parts: Sequence[Sequence[Example]], group: Group
) -> Tensor:
    """The vectors [rows, ...] of all parts, to which gradients are to come; `found` are those made here."""
    one, mine = found[0][2], {number: vectors for number, counts, vectors in found if counts}
    filled = [
        mine[number] if number in mine else one.new_zeros(len(part), *one.shape[1:])
        for number, part in enumerate(parts)
    ]
    return group.sum(torch.cat(filled)).requires_grad_()


def _vectors(
    task: Comparing, backbone: Backbone, part: Sequence[Example], draw: Callable[[int], object], number: int
) -> Tensor:
    draw(number)
    with backbone.computing():
        return task.vectors(backbone, part)
