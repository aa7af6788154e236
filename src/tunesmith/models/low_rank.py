"""Plain low-rank adapters as folders of the PEFT library hold them: what they change."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from tunesmith.core.errors import ModelError
from tunesmith.models.adapter_config import CONFIG, WEIGHTS
from tunesmith.models.json_file import read_json

PREFIX = "base_model.model."


@dataclass(frozen=True, slots=True, kw_only=True)
class LowRank:
    """A plain adapter as a folder holds it: A [rank, in] and B [out, rank] of each map that it changes."""

    rank: int
    alpha: float
    dropout: float
    rank_stabilised: bool
    scale: float  # what its change is multiplied by
    factors: Mapping[str, tuple[Tensor, Tensor]]


def scale(alpha: float, rank: int, *, rank_stabilised: bool) -> float:
    """What the change of an adapter is multiplied by."""
    return alpha / (math.sqrt(rank) if rank_stabilised else rank)


def sizes(model: nn.Module) -> dict[str, tuple[int, int]]:
    """Outputs and inputs of each linear map of a model, by its name."""
    from transformers.pytorch_utils import Conv1D

    return {
        name: size_of(module)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D)
    }


def size_of(module: nn.Module) -> tuple[int, int]:
    """Outputs and inputs of a linear map; GPT-2's Conv1D keeps its weight as [in, out]."""
    from transformers.pytorch_utils import Conv1D

    shape: tuple[int, ...] = tuple(module.weight.shape)  # type: ignore[arg-type]
    return shape[::-1] if isinstance(module, Conv1D) else shape  # type: ignore[return-value]


def read(maps: Mapping[str, tuple[int, int]], folder: Path) -> LowRank:
    """The plain adapter of a PEFT folder, for a model with linear maps of these sizes.

    Raises:
        ModelError: M21 when it does not fit this model.
    """
    config = read_json(folder / CONFIG)
    try:
        rank, alpha, stable = config["r"], config["lora_alpha"], bool(config.get("use_rslora"))
        meant = {name: size for name, size in maps.items() if is_meant(name, config["target_modules"])}
        return LowRank(
            rank=rank,
            alpha=alpha,
            dropout=config.get("lora_dropout", 0.0),
            rank_stabilised=stable,
            scale=scale(alpha, rank, rank_stabilised=stable),
            factors=_factors(meant, rank, folder),
        )
    except (KeyError, OSError, TypeError, ValueError, ArithmeticError, SafetensorError) as error:
        raise ModelError("M21", file=folder, reason=str(error)) from error


def is_meant(name: str, targets: Sequence[str]) -> bool:
    """Whether a module's name is one of `targets`, or ends with it after a dot."""
    return any(name == target or name.endswith(f".{target}") for target in targets)


def _factors(
    maps: Mapping[str, tuple[int, int]], rank: int, folder: Path
) -> dict[str, tuple[Tensor, Tensor]]:
    """The two matrices of each of these maps."""
    left = load_file(str(folder / WEIGHTS))
    found: dict[str, tuple[Tensor, Tensor]] = {}
    for name, (outputs, inputs) in maps.items():
        pair = [_taken(left, f"{name}.{part}") for part in ("lora_A", "lora_B")]
        for factor, shape in zip(pair, ((rank, inputs), (outputs, rank)), strict=True):
            if tuple(factor.shape) != shape:
                raise ValueError(f"{name}: {list(factor.shape)}; expected: {list(shape)}")
        found[name] = (pair[0], pair[1])
    if left:
        raise ValueError(f"no place for {min(left)}")
    return found


def _taken(left: dict[str, Tensor], name: str) -> Tensor:
    key = f"{PREFIX}{name}.weight"
    if key not in left:
        raise ValueError(f"no weights of {name}")
    return left.pop(key)
