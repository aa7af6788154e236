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


def bce(logits: Tensor, target: Tensor, *, label_smoothing: Annotated[float, Ge(0), Lt(1)] = 0.0) -> Tensor:
    """Binary cross-entropy of every class by itself, as rows with several labels need it; its mean over them.

    logits: [rows, classes], target: [rows, classes] of 0 and 1, or [rows] class indices -> [rows] in nats.
    Smoothing moves targets that far towards a half.
    """
    from torch.nn import functional

    wanted = _indicators(logits, target) * (1 - label_smoothing) + label_smoothing / 2
    return functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none").mean(-1)


def focal(logits: Tensor, target: Tensor, *, gamma: Annotated[float, Ge(0)] = 2.0) -> Tensor:
    """Cross-entropy in which what is right already counts little (Lin et al. 2017).

    logits: [rows, classes]; target: [rows] class indices, or [rows, classes] of 0 and 1, for which it is the
    mean over the classes of the binary one -> [rows] in nats.
    """
    from torch.nn import functional

    if target.ndim == 1:
        return _focal(functional.log_softmax(logits, -1).gather(-1, target[:, None]).squeeze(-1), gamma)
    return _focal(functional.logsigmoid(logits * (2 * target - 1)), gamma).mean(-1)


def _focal(likely: Tensor, gamma: float) -> Tensor:
    """-(1 - p)^gamma log p of log-probabilities, in their shape."""
    import torch

    # At p = 1 the slope of a power below 1 is infinite.
    unlikely = (-likely.expm1()).clamp_min(torch.finfo(likely.dtype).tiny)
    return -(unlikely**gamma) * likely


def mse(predicted: Tensor, target: Tensor) -> Tensor:
    """The square of the error; predicted, target: [rows] -> [rows]."""
    return (predicted - target) ** 2


def cosine(similarity: Tensor, target: Tensor) -> Tensor:
    """The square of how far cosines are from what they should be (Reimers and Gurevych 2019).

    similarity: [rows] from -1 to 1, target: [rows] from 0 to 1 -> [rows].
    """
    return mse(similarity, target)


def huber(predicted: Tensor, target: Tensor, *, delta: Annotated[float, Gt(0)] = 1.0) -> Tensor:
    """Half the square of the error, beyond `delta` linear: outliers pull less (Huber 1964).

    predicted, target: [rows] -> [rows].
    """
    from torch.nn import functional

    return functional.huber_loss(predicted, target, delta=delta, reduction="none")


def bradley_terry(better: Tensor, worse: Tensor) -> Tensor:
    """How surprising it is, in nats, that the one with the reward `better` won (Bradley and Terry 1952).

    better, worse: [rows] -> [rows].
    """
    from torch.nn import functional

    return -functional.logsigmoid(better - worse)


def _indicators(logits: Tensor, target: Tensor) -> Tensor:
    """Targets as [rows, classes] of 0 and 1."""
    from torch.nn import functional

    if target.ndim == logits.ndim:
        return target.to(logits.dtype)
    return functional.one_hot(target, logits.shape[-1]).to(logits.dtype)
