"""Methods: which parameters of a model learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

if TYPE_CHECKING:
    from torch import nn


def full(backbone: nn.Module) -> None:
    """Every weight learns."""
    backbone.requires_grad_(requires_grad=True)


def lora(
    backbone: nn.Module,
    *,
    rank: Annotated[int, Ge(1), Le(1024)] = 16,
    alpha: Annotated[float, Gt(0)] = 32.0,
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0,
    targets: list[str] | Literal["all-linear"] = "all-linear",
) -> None:
    """Low-rank adapters learn, the rest is frozen (Hu et al. 2021)."""
    from tunesmith.models import adapters

    adapters.add(backbone, rank=rank, alpha=alpha, dropout=dropout, targets=targets)
