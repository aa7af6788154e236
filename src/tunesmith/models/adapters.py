"""Low-rank adapters (LoRA, Hu et al. 2021), read and written in the format of the PEFT library, without it.

With `rank_stabilised` they are scaled by alpha/sqrt(rank) (rsLoRA, Kalajdzievski 2023). Other kinds of
adapters are the matter of `models.peft_adapters` and `models.soft_prompt`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from tunesmith.core.errors import ModelError
from tunesmith.models.json_file import read_json

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
_PREFIX = "base_model.model."

# Settings of PEFT that change what an adapter computes, and the values with which they do not.
_PLAIN: dict[str, tuple[Any, ...]] = {
    "peft_type": ("LORA",),
    "use_dora": (False,),
    "alpha_pattern": ({}, None),
    "rank_pattern": ({}, None),
    "modules_to_save": ([], None),
    "bias": ("none",),
    "lora_bias": (False,),
    "exclude_modules": (None, []),
    "layers_to_transform": (None,),
    "layer_replication": (None,),
    "target_parameters": (None, []),
    "trainable_token_indices": (None,),
}


class LoraLinear(nn.Module):
    """A frozen linear map plus a trained one of low rank: y = W x + scale * B A x."""

    def __init__(
        self, base: nn.Module, rank: int, alpha: float, dropout: float, *, rank_stabilised: bool = False
    ) -> None:
        super().__init__()
        # GPT-2's Conv1D keeps its weight as [in, out].
        self.transposed = isinstance(base, Conv1D)
        shape: tuple[int, ...] = tuple(base.weight.shape)  # type: ignore[arg-type]
        outputs, inputs = shape[::-1] if self.transposed else shape
        self.base = base
        self.alpha = alpha
        self.rank_stabilised = rank_stabilised
        self.scale = alpha / (math.sqrt(rank) if rank_stabilised else rank)
        self.dropout = nn.Dropout(dropout)
        self.lora_A = nn.Parameter(torch.empty(rank, inputs))
        self.lora_B = nn.Parameter(torch.zeros(outputs, rank))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """x: [..., in] -> [..., out]."""
        low = nn.functional.linear(self.dropout(x), self.lora_A)
        out: Tensor = self.base(x) + nn.functional.linear(low, self.lora_B) * self.scale
        return out

    @property
    def weight(self) -> Tensor:
        """The weight that the map amounts to: torch's own attention and encoder layers multiply by it."""
        own: Tensor = self.base.weight  # type: ignore[assignment]
        return own + self._change()

    @property
    def bias(self) -> Tensor | None:
        """The bias of the base map."""
        found: Tensor | None = self.base.bias  # type: ignore[assignment]
        return found

    def merged(self) -> nn.Module:
        """The base map with the adapter folded into its weight."""
        with torch.no_grad():
            self.base.weight += self._change()  # type: ignore[operator]
        return self.base

    def _change(self) -> Tensor:
        change = (self.lora_B @ self.lora_A) * self.scale
        return change.T if self.transposed else change


def add(
    model: nn.Module,
    *,
    rank: int,
    alpha: float,
    dropout: float = 0.0,
    targets: Sequence[str] | str = "all-linear",
    rank_stabilised: bool = False,
) -> list[str]:
    """Freeze `model` and put adapters on its linear maps; returns the module names that got one.

    `targets`: the last parts of module names, or `all-linear`: every one but the output head.

    Raises:
        ModelError: M20 when no module matches.
    """
    chosen = matching(model, targets)
    model.requires_grad_(requires_grad=False)
    for name in chosen:
        base = model.get_submodule(name)
        _replace(model, name, LoraLinear(base, rank, alpha, dropout, rank_stabilised=rank_stabilised))
    return chosen


def matching(model: nn.Module, targets: Sequence[str] | str) -> list[str]:
    """The names of the linear maps that `targets` means, see `add`.

    Raises:
        ModelError: M20 when no module matches.
    """
    chosen = [name for name, module in model.named_modules() if _matches(model, name, module, targets)]
    if not chosen:
        raise ModelError("M20", targets=targets, known=", ".join(_linear_names(model)))
    return chosen


def _matches(model: nn.Module, name: str, module: nn.Module, targets: Sequence[str] | str) -> bool:
    if not isinstance(module, nn.Linear | Conv1D):
        return False
    if targets == "all-linear":
        head = model.get_output_embeddings()  # type: ignore[operator]
        return module is not head
    return _is_meant(name, [targets] if isinstance(targets, str) else targets)


def _is_meant(name: str, targets: Sequence[str]) -> bool:
    """Whether a module's name is one of `targets`, or ends with it after a dot."""
    return any(name == target or name.endswith(f".{target}") for target in targets)


def _linear_names(model: nn.Module) -> list[str]:
    found = (n.rpartition(".")[2] for n, m in model.named_modules() if isinstance(m, nn.Linear | Conv1D))
    return sorted(set(found))


def _replace(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)


def adapters(model: nn.Module) -> Iterator[tuple[str, LoraLinear]]:
    """The adapters of a model with the names of the modules they sit on."""
    for name, module in model.named_modules():
        if isinstance(module, LoraLinear):
            yield name, module


def merge(model: nn.Module) -> nn.Module:
    """Fold all adapters into the weights they sit on."""
    for name, adapter in list(adapters(model)):
        _replace(model, name, adapter.merged())
    return model


def save(model: nn.Module, folder: Path, *, base: str, task_type: str) -> None:
    """Write adapter_config.json and adapter_model.safetensors."""
    found = dict(adapters(model))
    first = next(iter(found.values()))
    rank = first.lora_A.shape[0]
    config: dict[str, Any] = {
        "peft_type": "LORA",
        "task_type": task_type,
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": first.alpha,
        "use_rslora": first.rank_stabilised,
        "lora_dropout": first.dropout.p,
        "target_modules": sorted(found),
        "fan_in_fan_out": first.transposed,
        "bias": "none",
        "inference_mode": True,
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=1), encoding="utf-8")
    weights: dict[str, Tensor] = {}
    for name, adapter in found.items():
        weights[f"{_PREFIX}{name}.lora_A.weight"] = adapter.lora_A.detach().contiguous()
        weights[f"{_PREFIX}{name}.lora_B.weight"] = adapter.lora_B.detach().contiguous()
    save_file(weights, str(folder / WEIGHTS))


def is_plain(config: Mapping[str, Any]) -> bool:
    """Whether an adapter_config.json means LoRA or rsLoRA and nothing besides."""
    is_list = isinstance(config.get("target_modules", []), list)
    return is_list and all(config.get(name, plain[0]) in plain for name, plain in _PLAIN.items())


def load(model: nn.Module, folder: Path) -> None:
    """Put the plain adapters of a PEFT folder onto `model`.

    Raises:
        ModelError: M21 when they do not fit this model.
    """
    config = read_json(folder / CONFIG)
    try:
        targets, rank = config["target_modules"], config["r"]
        names = _full_names(model, targets)
        for name in names:
            base = model.get_submodule(name)
            dropout, stable = config.get("lora_dropout", 0.0), bool(config.get("use_rslora"))
            module = LoraLinear(base, rank, config["lora_alpha"], dropout, rank_stabilised=stable)
            _replace(model, name, module)
        _fill(model, load_file(str(folder / WEIGHTS)))
    except (KeyError, AttributeError, OSError, RuntimeError, SafetensorError) as error:
        raise ModelError("M21", file=folder, reason=str(error)) from error


def _full_names(model: nn.Module, targets: Sequence[str]) -> list[str]:
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and _is_meant(name, targets)
    ]


def _fill(model: nn.Module, weights: dict[str, Tensor]) -> None:
    parameters = dict(model.named_parameters())
    wanted = {f"{name}.{part}" for name, _ in adapters(model) for part in ("lora_A", "lora_B")}
    if lost := sorted(wanted - {key.removeprefix(_PREFIX).removesuffix(".weight") for key in weights}):
        raise KeyError(f"no weights of {lost[0]}")
    for key, value in weights.items():
        name = key.removeprefix(_PREFIX).removesuffix(".weight")
        with torch.no_grad():
            parameters[name].copy_(value)
