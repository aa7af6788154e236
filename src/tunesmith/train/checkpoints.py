"""Training states on disk: what learns, and what the optimizer remembers of it. Safetensors and JSON only.

There is no random state and no position in the data to keep: both follow from (seed, step).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file

from tunesmith.core import durable

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

_KEEP = 2


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A complete training state after `step`."""

    path: Path
    step: int


def save(root: Path, step: int, parameters: Mapping[str, nn.Parameter], optimizer: Optimizer) -> Checkpoint:
    """Write a checkpoint, then remove all but the newest two that are complete."""
    path = root / f"step-{step:08d}"
    with durable.new_folder(path) as folder:
        weights = {name: value.detach().contiguous() for name, value in parameters.items()}
        save_file(weights, str(folder / "weights.safetensors"))
        save_file(_optimizer_tensors(optimizer), str(folder / "optimizer.safetensors"))
        (folder / "state.json").write_text(json.dumps({"step": step}), encoding="utf-8")
    for old in sorted(root.glob("step-*"))[:-_KEEP]:
        shutil.rmtree(old)
    return Checkpoint(path, step)


def newest(root: Path) -> Checkpoint | None:
    """The newest checkpoint that is complete and undamaged."""
    for path in sorted(root.glob("step-*"), reverse=True):
        if durable.is_valid(path):
            return Checkpoint(path, json.loads((path / "state.json").read_text("utf-8"))["step"])
    return None


def restore(checkpoint: Checkpoint, parameters: Mapping[str, nn.Parameter], optimizer: Optimizer) -> None:
    """Put a checkpoint's values into the parameters and the optimizer."""
    weights = load_file(str(checkpoint.path / "weights.safetensors"))
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in load_file(str(checkpoint.path / "optimizer.safetensors")).items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": value.contiguous()
        for index, values in state.items()
        for name, value in values.items()
    }
