"""Optimizers: torch's updates, decay for matrices alone."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from tunesmith.core import components
from tunesmith.core.errors import MissingError
from tunesmith.train.named import Named
from tunesmith.train.optimizers import adamw, adamw_8bit, lion, muon


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


def test_adamw_of_8_bits_is_near_it_and_misses_its_library_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    x, wanted = torch.randn(256, 64), torch.randn(256, 64)
    weights = [nn.Parameter(torch.zeros(64, 64)) for _ in range(2)]
    for weight, make in zip(weights, (adamw, adamw_8bit), strict=True):
        optimizer = make([weight], lr=0.01, weight_decay=0.1)
        for _ in range(20):
            (x @ weight - wanted).square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()
    assert (weights[1] - weights[0]).norm() < 0.05 * weights[0].norm()
    monkeypatch.delitem(sys.modules, "tunesmith.train.eight_bit")
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim.adamw", None)
    with pytest.raises(MissingError) as caught:
        adamw_8bit(weights)
    assert caught.value.problems[0].code == "M03"


every = pytest.mark.parametrize("name", components.optimizers.names())


@every
def test_biases_and_norms_are_not_decayed(name: str) -> None:
    module = model()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    components.optimizers.get(name)(module.parameters(), lr=0.1, weight_decay=0.5).step()
    changed = {name for name, value in module.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"0.weight", "2.weight"}


@every
def test_an_optimizer_makes_a_loss_smaller(name: str) -> None:
    module, x = model(), torch.ones(4, 4)
    optimizer = components.optimizers.get(name)(module.parameters())
    before = module(x).square().mean().item()
    steps(module, optimizer, 20)
    assert module(x).square().mean().item() < before


def test_lion_goes_by_the_sign_of_a_mean_of_gradients() -> None:
    weight = nn.Parameter(torch.tensor([[1.0, -1.0]]))
    optimizer = lion([weight], lr=0.1, weight_decay=0.5, betas=(0.9, 0.5))
    weight.grad = torch.tensor([[4.0, -0.01]])
    optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.tensor([[0.95 - 0.1, -0.95 + 0.1]]))
    # The mean is now half of the gradient, and outweighs a small one against it.
    weight.grad = torch.tensor([[-1.0, 0.0]])
    before = weight.detach().clone()
    optimizer.step()
    torch.testing.assert_close(weight.detach(), before * 0.95 - torch.tensor([[0.1, -0.1]]))


def test_muon_is_for_matrices_of_hidden_layers_and_adamw_for_the_rest() -> None:
    named = {
        "embeddings.weight": nn.Parameter(torch.ones(9, 4)),
        "layers.0.weight": nn.Parameter(torch.ones(4, 4)),
        "layers.0.bias": nn.Parameter(torch.ones(4)),
        "head.weight": nn.Parameter(torch.ones(3, 4)),
    }
    optimizer = muon(Named(named))
    for parameter in named.values():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    by_muon = {name for name, p in named.items() if "momentum_buffer" in optimizer.state[p]}
    assert by_muon == {"layers.0.weight"}
    assert all("exp_avg" in optimizer.state[p] for name, p in named.items() if name not in by_muon)


def test_muon_is_torchs() -> None:
    ours, theirs = model(), model()
    matrices = [p for p in theirs.parameters() if p.ndim == 2]
    others = [p for p in theirs.parameters() if p.ndim < 2]
    steps(ours, muon(ours.parameters(), lr=0.01, weight_decay=0.2))
    first = torch.optim.Muon(matrices, lr=0.01, weight_decay=0.2, adjust_lr_fn="match_rms_adamw")
    second = torch.optim.AdamW(others, lr=0.01, weight_decay=0.0, betas=(0.9, 0.95))
    for number in range(5):
        x = torch.randn(16, 4, generator=torch.Generator().manual_seed(number))
        theirs(x).square().mean().backward()
        for optimizer in (first, second):
            optimizer.step()
            optimizer.zero_grad()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b)
