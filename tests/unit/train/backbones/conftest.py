"""Small models with random weights, rows of several lengths, and losses with their gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tunesmith.models import adapters
from tunesmith.models.backbone import Backbone

Gradients = dict[str, Tensor]


@pytest.fixture
def rows() -> Callable[..., list[Any]]:
    """Rows of random tokens after a common beginning."""

    def make(lengths: Sequence[int] = (5, 33, 35, 1, 60, 34), common: int = 0) -> list[Any]:
        rng = np.random.default_rng(0)
        beginning = rng.integers(5, 300, common)
        return [np.concatenate([beginning, rng.integers(5, 300, n)]) for n in lengths]

    return make


@pytest.fixture
def shaken() -> Callable[..., nn.Module]:
    """A model all of whose weights are random, with LoRA whose second matrix is no longer zero."""

    def make(model: nn.Module, *, lora: bool = False, targets: Any = "all-linear") -> nn.Module:
        if lora:
            adapters.add(model, rank=4, alpha=8.0, targets=targets)
        generator = torch.Generator().manual_seed(3)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += torch.randn(parameter.shape, generator=generator) * 0.03
        return model.eval()

    return make


@pytest.fixture
def gradients() -> Callable[..., tuple[float, Gradients]]:
    """A loss of the hidden states of rows and the gradients of all that learns."""

    def compute(
        model: nn.Module, backbone: Backbone, rows: list[Any], at: Any = None
    ) -> tuple[float, Gradients]:
        model.zero_grad(set_to_none=True)
        with backbone.computing():
            hidden = backbone.hidden(rows, at)
            towards = torch.randn(hidden.shape, generator=torch.Generator().manual_seed(1))
            loss = (hidden.float() * towards).sum()
        loss.backward()
        found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
        return float(loss.detach()), found

    return compute


@pytest.fixture
def apart() -> Callable[[Gradients, Gradients], float]:
    """How far gradients are from others, relative to the norm of these."""

    def measure(found: Gradients, wanted: Gradients) -> float:
        assert found.keys() == wanted.keys()
        assert wanted
        difference = sum(float((found[name] - value).square().sum()) for name, value in wanted.items())
        return float((difference / sum(float(value.square().sum()) for value in wanted.values())) ** 0.5)

    return measure
