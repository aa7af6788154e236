"""A running mean of the weights (Polyak and Juditsky 1992), which is what is evaluated and saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

PREFIX = "average."
"""What the names of means begin with."""


class Average:
    """The mean of parameters over steps, forgetting by `decay`; early steps forget faster."""

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float) -> None:
        self._decay = decay
        self._parameters = parameters
        self._means = {name: value.detach().clone() for name, value in parameters.items()}

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The means under names of their own, for a checkpoint."""
        return {PREFIX + name: mean for name, mean in self._means.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the parameters after `step`, counted from 1."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, mean in self._means.items():
            mean.lerp_(self._parameters[name], 1 - decay)

    @torch.no_grad()
    def put(self) -> None:
        """Set the parameters to their means."""
        for name, parameter in self._parameters.items():
            parameter.copy_(self._means[name])

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside the block the parameters are their means."""
        own = {name: value.detach().clone() for name, value in self._parameters.items()}
        self.put()
        try:
            yield
        finally:
            with torch.no_grad():
                for name, parameter in self._parameters.items():
                    parameter.copy_(own[name])
