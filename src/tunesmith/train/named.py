"""Parameters under their names, from which follows in which layer of the model each of them is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
