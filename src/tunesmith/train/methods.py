"""Methods: which parameters of a model learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

if TYPE_CHECKING:
    from torch import nn


def full(backbone: nn.Module) -> None:
    """Every weight learns."""
    backbone.requires_grad_(requires_grad=True)


def head(backbone: nn.Module) -> None:
    """The output head learns and nothing below it; where it shares the weights of embeddings, these do."""
    backbone.requires_grad_(requires_grad=False)
    find = getattr(backbone, "get_output_embeddings", None)
    if find is not None and (found := find()) is not None:
        found.requires_grad_(requires_grad=True)


def last_layers(backbone: nn.Module, *, layers: Annotated[int, Ge(1)] = 2) -> None:
    """The last layers of each stack learn, with the norms and heads after them."""
    from tunesmith.train.named import depths

    named = dict(backbone.named_parameters())
    for name, depth in depths(list(named)).items():
        named[name].requires_grad = depth <= layers


def lora(
    backbone: nn.Module,
    *,
    rank: Annotated[int, Ge(1), Le(1024)] = 16,
    alpha: Annotated[float, Gt(0)] = 32.0,
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0,
    targets: list[str] | Literal["all-linear"] = "all-linear",
    base: Literal["float32", "int8", "int4"] = "float32",
) -> None:
    """Low-rank adapters learn, the rest is frozen (Hu et al. 2021), in the numbers of `base`."""
    from tunesmith.models import adapters, quantized

    adapters.add(backbone, rank=rank, alpha=alpha, dropout=dropout, targets=targets)
    quantized.keep(backbone, base)


def rslora(
    backbone: nn.Module,
    *,
    rank: Annotated[int, Ge(1), Le(1024)] = 16,
    alpha: Annotated[float, Gt(0)] = 8.0,
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0,
    targets: list[str] | Literal["all-linear"] = "all-linear",
    base: Literal["float32", "int8", "int4"] = "float32",
) -> None:
    """As `lora`, scaled by `alpha / sqrt(rank)`, so that high ranks learn too (Kalajdzievski 2023)."""
    from tunesmith.models import adapters, quantized

    adapters.add(backbone, rank=rank, alpha=alpha, dropout=dropout, targets=targets, rank_stabilised=True)
    quantized.keep(backbone, base)


def dora(
    backbone: nn.Module,
    *,
    rank: Annotated[int, Ge(1), Le(1024)] = 16,
    alpha: Annotated[float, Gt(0)] = 32.0,
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0,
    targets: list[str] | Literal["all-linear"] = "all-linear",
) -> None:
    """Low-rank adapters and the length of each weight vector learn (Liu et al. 2024)."""
    from tunesmith.models import peft_adapters

    peft_adapters.add_dora(backbone, rank=rank, alpha=alpha, dropout=dropout, targets=targets)


def ia3(
    backbone: nn.Module,
    *,
    targets: list[str] | Literal["family"] = "family",
    feedforward: list[str] = [],  # noqa: B006  a default of the schema, never changed
) -> None:
    """Factors learn that scale what some linear maps give, or take (Liu et al. 2022)."""
    from tunesmith.models import peft_adapters

    peft_adapters.add_ia3(backbone, targets=targets, feedforward=feedforward)


def prompt_tuning(backbone: nn.Module, *, length: Annotated[int, Ge(1), Le(512)] = 20) -> None:
    """Vectors before every text learn, the model is frozen (Lester et al. 2021)."""
    from tunesmith.models import soft_prompt

    soft_prompt.add(backbone, length=length)
