"""Which parameters learn, by patterns of their names, and how fast those of lower layers do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tunesmith.core.errors import RecipeError
from tunesmith.core.registry import suggestion
from tunesmith.train.named import depths

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


def freeze(model: nn.Module, patterns: Sequence[str]) -> None:
    """Let the parameters with matching names keep their values.

    Raises:
        RecipeError: T40 when a pattern matches no name; T41 when nothing is left to learn.
    """
    named = dict(model.named_parameters())
    for pattern in patterns:
        matching = [name for name in named if fnmatchcase(name, pattern)]
        if not matching:
            raise RecipeError("T40", pattern=pattern, **suggestion(pattern, sorted(named)))
        for name in matching:
            named[name].requires_grad = False
    if not any(parameter.requires_grad for parameter in named.values()):
        raise RecipeError("T41")


def slow_down(optimizer: Optimizer, named: Mapping[str, nn.Parameter], factor: float) -> None:
    """Multiply the learning rate by `factor` for each layer that lies above a parameter (Clark et al. 2020).

    It divides the groups of an optimizer that has not made a step; `named` are all parameters of the model.
    """
    depth = {id(named[name]): found for name, found in depths(list(named)).items()}
    groups = [
        {**group, "params": chosen, "lr": group["lr"] * factor**level}
        for group in optimizer.param_groups
        for level, chosen in _by_depth(group["params"], depth).items()
    ]
    optimizer.param_groups[:] = groups


def _by_depth(parameters: Sequence[nn.Parameter], depth: Mapping[int, int]) -> dict[int, list[nn.Parameter]]:
    found: dict[int, list[nn.Parameter]] = {}
    for parameter in parameters:
        found.setdefault(depth[id(parameter)], []).append(parameter)
    return found
