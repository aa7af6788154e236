"""Low-rank adapters (LoRA, Hu et al. 2021), read and written in the format of the PEFT library, without it.

With `rank_stabilised` they are scaled by alpha/sqrt(rank) (rsLoRA, Kalajdzievski 2023). Other kinds of
adapters are the matter of `models.peft_adapters` and `models.soft_prompt`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from tunesmith.core.errors import ModelError
from tunesmith.models.adapter_config import CONFIG, WEIGHTS
from tunesmith.models.low_rank import PREFIX, is_meant, read, scale, size_of, sizes


class LoraLinear(nn.Module):
    """A frozen linear map plus a trained one of low rank: y = W x + scale * B A x."""

    def __init__(
        self, base: nn.Module, rank: int, alpha: float, dropout: float, *, rank_stabilised: bool = False
    ) -> None:
        super().__init__()
        self.transposed = isinstance(base, Conv1D)
        outputs, inputs = size_of(base)
        self.base = base
        self.alpha = alpha
        self.rank_stabilised = rank_stabilised
        self.scale = scale(alpha, rank, rank_stabilised=rank_stabilised)
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
        replace(model, name, LoraLinear(base, rank, alpha, dropout, rank_stabilised=rank_stabilised))
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
    return is_meant(name, [targets] if isinstance(targets, str) else targets)


def _linear_names(model: nn.Module) -> list[str]:
    found = (n.rpartition(".")[2] for n, m in model.named_modules() if isinstance(m, nn.Linear | Conv1D))
    return sorted(set(found))


def replace(model: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module in the place of the one of a name."""
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
        untie(model, adapter.base)
        replace(model, name, adapter.merged())
    return model


def untie(model: Any, head: Any) -> None:
    """Give an output head that shares the weights of the embeddings its own: what is added is not for both.

    Any other module stays as it is.
    """
    weight = getattr(head, "weight", None)
    tables = [module for module in model.modules() if isinstance(module, nn.Embedding)]
    if head in tables or all(table.weight is not weight for table in tables):
        return
    head.weight = nn.Parameter(head.weight.detach().clone(), requires_grad=head.weight.requires_grad)
    model.config.tie_word_embeddings = False


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
        weights[f"{PREFIX}{name}.lora_A.weight"] = adapter.lora_A.detach().contiguous()
        weights[f"{PREFIX}{name}.lora_B.weight"] = adapter.lora_B.detach().contiguous()
    save_file(weights, str(folder / WEIGHTS))


def load(model: nn.Module, folder: Path) -> None:
    """Put the plain adapters of a PEFT folder onto `model`.

    Raises:
        ModelError: M21 when they do not fit this model.
    """
    found = read(sizes(model), folder)
    for name, (low, high) in found.factors.items():
        module = LoraLinear(
            model.get_submodule(name), found.rank, found.alpha, found.dropout,
            rank_stabilised=found.rank_stabilised,
        )  # fmt: skip
        with torch.no_grad():
            module.lora_A.copy_(low)
            module.lora_B.copy_(high)
        replace(model, name, module)
