"""Training states on disk: what learns, and what the optimizer remembers of it. Safetensors and JSON only.

There is no random state and no position in the data to keep: both follow from (seed, step).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from tunesmith.core import durable
from tunesmith.train.averaging import PREFIX
from tunesmith.train.parallel import ALONE, Group, cuts

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

_KEEP = 2


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A complete training state after `step`.

    `guard` and `selection` are what those remembered, `plain` what the optimizer does beside tensors.
    """

    path: Path
    step: int
    guard: Mapping[str, Any] = field(default_factory=dict[str, Any])
    plain: Mapping[str, Any] = field(default_factory=dict[str, Any])
    selection: Mapping[str, Any] = field(default_factory=dict[str, Any])


def save(
    root: Path,
    step: int,
    parameters: Mapping[str, Tensor],
    optimizer: Optimizer,
    guard: Mapping[str, Any],
    selection: Mapping[str, Any],
    group: Group = ALONE,
) -> Checkpoint:
    """Write a checkpoint, then remove all but the newest two that are complete."""
    path = root / f"step-{step:08d}"
    tensors, plain = _parts(optimizer)

    def fill(folder: Path) -> None:
        cuts.write(folder, "weights", parameters, group.cuts, _own_name)
        cuts.write(folder, "optimizer", tensors, group.cuts, _remembered_of(parameters, optimizer))
        if group.rank == 0:
            state = {"step": step, "guard": guard, "plain": plain, "selection": selection}
            (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")

    group.make(path, fill)
    group.first(lambda: _remove_old(root))
    return Checkpoint(path, step, guard, plain, selection)


def _remove_old(root: Path) -> None:
    for old in sorted(root.glob("step-*"))[:-_KEEP]:
        durable.remove_folder(old)


def _own_name(name: str) -> str:
    """The parameter that a weight, or its mean, belongs to."""
    return name.removeprefix(PREFIX)


def _remembered_of(parameters: Mapping[str, Tensor], optimizer: Optimizer) -> Callable[[str], str]:
    """The parameter of which `number.what` is remembered."""
    known = {id(parameter): name for name, parameter in parameters.items()}
    names = [known[id(parameter)] for group in optimizer.param_groups for parameter in group["params"]]
    return lambda key: names[int(key.partition(".")[0])]


def newest(root: Path) -> Checkpoint | None:
    """The newest checkpoint that is complete and undamaged."""
    for path in sorted(root.glob("step-*"), reverse=True):
        if durable.is_valid(path):
            return Checkpoint(path, **json.loads((path / "state.json").read_text("utf-8")))
    return None


def mend(root: Path) -> Iterator[Path]:
    """End what was cut off, and keep damaged checkpoints under other names, to be looked at; the names."""
    durable.sweep(root)
    for path in sorted(root.glob("step-*")):
        if not durable.is_valid(path):
            aside = path.with_name(f"damaged-{path.name}")
            shutil.rmtree(aside, ignore_errors=True)
            yield path.rename(aside)


def restore(
    checkpoint: Checkpoint, parameters: Mapping[str, Tensor], optimizer: Optimizer, group: Group = ALONE
) -> None:
    """Put a checkpoint's values into the parameters and the optimizer, however many processes wrote it."""
    weights = cuts.read(checkpoint.path, "weights", group.cuts, _own_name)
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
    state: dict[int, dict[str, Any]] = {}
    tensors = cuts.read(checkpoint.path, "optimizer", group.cuts, _remembered_of(parameters, optimizer))
    for key, value in {**tensors, **checkpoint.plain}.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _parts(optimizer: Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What an optimizer remembers: its tensors, and its numbers, which are JSON."""
    remembered = {
        f"{index}.{name}": value
        for index, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }
    tensors = {k: v.contiguous() for k, v in remembered.items() if isinstance(v, torch.Tensor)}
    return tensors, {k: v for k, v in remembered.items() if k not in tensors}
