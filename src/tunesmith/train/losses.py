"""Losses over rows of logits: each returns one value per row, so that the loop can weigh them exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Lt

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


def multiple_negatives(
    similarity: Tensor, target: Tensor, *, scale: Annotated[float, Gt(0)] = 20.0
) -> Tensor:
    """Cross-entropy over similarities, by which each text finds its own among those of the others.

    similarity: [rows, texts], from -1 to 1, or minus infinity where a text does not count; target: [rows]
    which of them is right -> [rows] in nats. After Henderson et al. 2017.
    """
    return cross_entropy(similarity * scale, target)
