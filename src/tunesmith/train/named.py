"""Parameters under their names, from which follows in which layer of the model each of them is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

_NUMBER = re.compile(r"(?:^|\.)(\d+)\.")


class Named(list["nn.Parameter"]):
    """The parameters that learn, for an optimizer; `names` tells apart those it treats in different ways."""

    def __init__(self, parameters: Mapping[str, nn.Parameter]) -> None:
        super().__init__(parameters.values())
        self.names = tuple(parameters)


def layer(name: str) -> int | None:
    """The number of the layer that a parameter belongs to; None for embeddings, heads and the like."""
    found = _NUMBER.search(name)
    return int(found[1]) if found else None


def hidden_matrices(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    """The matrices of numbered layers; without names, all matrices."""
    if not isinstance(parameters, Named):
        return [p for p in parameters if p.ndim == 2]
    named = zip(parameters.names, parameters, strict=True)
    return [p for name, p in named if p.ndim == 2 and layer(name) is not None]


def depths(names: Sequence[str]) -> dict[str, int]:
    """How far below the output each of a model's parameters is, given all their names in their order.

    The last layer of a stack is 1, what comes before its first layer one more than that, and what comes after
    the layers (norms, heads) 0.
    """
    sizes: dict[str, int] = {}
    for name in names:
        if (number := layer(name)) is not None:
            sizes[_stack(name)] = max(sizes.get(_stack(name), 0), number + 1)
    deepest, met = max(sizes.values(), default=0), False
    found = {}
    for name in names:
        number = layer(name)
        met = met or number is not None
        if number is not None:
            found[name] = sizes[_stack(name)] - number
        else:
            found[name] = 0 if met or not sizes else deepest + 1
    return found


def _stack(name: str) -> str:
    """What a parameter's name says before the number of its layer."""
    found = _NUMBER.search(name)
    return name[: found.start()] if found else ""
