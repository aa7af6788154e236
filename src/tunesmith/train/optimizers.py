"""Optimizers: from the parameters that learn to a torch optimizer. Vectors (biases, norms) never decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Gt, Lt

from tunesmith.core.errors import MissingError

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

NEED_WHOLE = ("adamw_8bit", "adafactor", "muon")
"""Those whose update of a weight depends on its whole gradient, or on blocks of it."""
Rate = Annotated[float, Gt(0)]
Decay = Annotated[float, Ge(0)]
Beta = Annotated[float, Ge(0), Lt(1)]


def adamw(
    parameters: Iterable[nn.Parameter],
    *,
    lr: Rate = 1e-4,
    weight_decay: Decay = 0.01,
    betas: tuple[Beta, Beta] = (0.9, 0.999),
    eps: Annotated[float, Gt(0)] = 1e-8,
) -> Optimizer:
    """AdamW (Loshchilov and Hutter 2019)."""
    from torch.optim import AdamW

    return AdamW(_groups(parameters, weight_decay), lr=lr, betas=betas, eps=eps, fused=True)


def adamw_8bit(
    parameters: Iterable[nn.Parameter],
    *,
    lr: Rate = 1e-4,
    weight_decay: Decay = 0.01,
    betas: tuple[Beta, Beta] = (0.9, 0.999),
    eps: Annotated[float, Gt(0)] = 1e-8,
) -> Optimizer:
    """AdamW that remembers moments in 8 bits with a scale for each block of 256 (Dettmers et al. 2022).

    Those of parameters with fewer than 4,096 numbers stay float32.

    Raises:
        MissingError: M03 when the bitsandbytes library is not installed.
    """
    try:
        from tunesmith.train.eight_bit import EightBitAdamW
    except ImportError as error:
        raise MissingError("M03", name="adamw_8bit", package="bitsandbytes", extra="bitsandbytes") from error
    groups = _groups(parameters, weight_decay)
    found: Optimizer = EightBitAdamW(groups, lr=lr, betas=betas, eps=eps)  # type: ignore[no-untyped-call]
    return found


def adafactor(
    parameters: Iterable[nn.Parameter],
    *,
    lr: Rate = 1e-2,
    weight_decay: Decay = 0.0,
    clip: Annotated[float, Gt(0)] = 1.0,
) -> Optimizer:
    """Adafactor (Shazeer and Stern 2018): rows and columns of squared gradients in place of all of them.

    The rate is relative to the size of a weight; an update's root mean square is at most `clip`.
    """
    from torch.optim import Adafactor

    return Adafactor(_groups(parameters, weight_decay), lr=lr, d=clip)


def lion(
    parameters: Iterable[nn.Parameter],
    *,
    lr: Rate = 3e-5,
    weight_decay: Decay = 0.1,
    betas: tuple[Beta, Beta] = (0.9, 0.99),
) -> Optimizer:
    """Lion (Chen et al. 2023): steps of one size, so it wants a lower rate and more decay than AdamW."""
    from tunesmith.train.own_optimizers import Lion

    return Lion(_groups(parameters, weight_decay), lr=lr, betas=betas)


def muon(
    parameters: Iterable[nn.Parameter],
    *,
    lr: Rate = 1e-3,
    weight_decay: Decay = 0.1,
    momentum: Beta = 0.95,
    betas: tuple[Beta, Beta] = (0.9, 0.95),
) -> Optimizer:
    """Muon (Jordan et al. 2024) for the matrices of hidden layers, AdamW with `betas` for all else.

    Updates of both are of one size (Liu et al. 2025), so that they share the rate.
    """
    from torch.optim import AdamW, Muon

    from tunesmith.train.named import hidden_matrices
    from tunesmith.train.own_optimizers import Divided

    found = list(parameters)
    matrices = hidden_matrices(parameters if isinstance(parameters, list) else found)
    chosen = {id(p) for p in matrices}
    others = _groups((p for p in found if id(p) not in chosen), weight_decay)
    parts: list[Optimizer] = []
    if matrices:
        parts.append(
            Muon(
                matrices, lr=lr, weight_decay=weight_decay, momentum=momentum, adjust_lr_fn="match_rms_adamw"
            )
        )
    if others:
        parts.append(AdamW(others, lr=lr, betas=betas, fused=True))
    return Divided(parts)


def sgd(
    parameters: Iterable[nn.Parameter],
    *,
    lr: Rate = 1e-2,
    weight_decay: Decay = 0.0,
    momentum: Beta = 0.9,
    nesterov: bool = False,
) -> Optimizer:
    """Stochastic gradient descent, with momentum (Sutskever et al. 2013)."""
    from torch.optim import SGD

    ahead = nesterov and momentum > 0
    return SGD(_groups(parameters, weight_decay), lr=lr, momentum=momentum, nesterov=ahead, fused=True)


def _groups(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Matrices, which decay, and vectors, which do not."""
    found = list(parameters)
    groups: list[dict[str, Any]] = [
        {"params": [p for p in found if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in found if p.ndim < 2], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
