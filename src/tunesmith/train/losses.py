"""Losses over rows of logits: each returns one value per row, so that the loop can weigh them exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Lt

if TYPE_CHECKING:
    from torch import Tensor


def cross_entropy(
    logits: Tensor, target: Tensor, *, label_smoothing: Annotated[float, Ge(0), Lt(1)] = 0.0
) -> Tensor:
    """Negative log-likelihood of the targets; with smoothing after Szegedy et al. 2016.

    logits: [rows, classes], target: [rows] class indices -> [rows] in nats.
    """
    from torch.nn import functional

    return functional.cross_entropy(logits, target, label_smoothing=label_smoothing, reduction="none")
