"""Dropout with random bytes: as many values as asked for, the expectation kept, and the gradient."""

from __future__ import annotations

import pytest
import torch

from tunesmith.train.backbones.dropout import Dropout


@pytest.mark.parametrize("chance", [0.1, 0.5])
def test_the_share_and_the_scale_fit_together(chance: float) -> None:
    found = Dropout(chance, seed=0)(torch.ones(400, 500))
    dropped = float((found == 0).float().mean())
    assert dropped == pytest.approx(chance, abs=0.005)
    assert float(found.mean()) == pytest.approx(1, abs=0.01)


def test_none_is_nothing() -> None:
    x = torch.ones(3)
    assert Dropout(0.0, seed=0)(x) is x


def test_masks_follow_from_the_seed_and_their_order() -> None:
    first, again, other = Dropout(0.5, seed=1), Dropout(0.5, seed=1), Dropout(0.5, seed=2)
    drawn = [first.mask((50,)), first.mask((50,))]
    assert torch.equal(drawn[0], again.mask((50,)))
    assert torch.equal(drawn[1], again.mask((50,)))
    assert not torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], other.mask((50,)))


def test_the_gradient_goes_where_values_went() -> None:
    x = torch.randn(100, requires_grad=True)
    found = Dropout(0.5, seed=3)(x)
    found.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, (found / x).detach())
