"""Optimizers: torch's updates, decay for matrices alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tunesmith.core import components
from tunesmith.train.optimizers import adamw


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 2))


def steps(module: nn.Module, optimizer: torch.optim.Optimizer, count: int = 5) -> None:
    for number in range(count):
        x = torch.randn(16, 4, generator=torch.Generator().manual_seed(number))
        module(x).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()


def test_adamw_is_torchs() -> None:
    ours, theirs = model(), model()
    steps(ours, adamw(ours.parameters(), lr=0.01, weight_decay=0.0))
    steps(theirs, torch.optim.AdamW(theirs.parameters(), lr=0.01, weight_decay=0.0))
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_biases_and_norms_are_not_decayed() -> None:
    module = model()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    adamw(module.parameters(), lr=0.1, weight_decay=0.5).step()
    changed = {name for name, value in module.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"0.weight", "2.weight"}


@pytest.mark.parametrize("name", components.optimizers.names())
def test_an_optimizer_makes_a_loss_smaller(name: str) -> None:
    module, x = model(), torch.ones(4, 4)
    optimizer = components.optimizers.get(name)(module.parameters())
    before = module(x).square().mean().item()
    steps(module, optimizer, 20)
    assert module(x).square().mean().item() < before
