"""Losses of preferences are those of their papers, as TRL computes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tunesmith.core import components
from tunesmith.core.errors import DataError
from tunesmith.tasks.pairs import Pairs
from tunesmith.tasks.prefer import Prefer
from tunesmith.train import preferences

CHOSEN, REJECTED = (-12.0, -30.0), (-15.0, -20.0)


def pairs(chosen: Tensor, rejected: Tensor, reference: tuple[float, float] = (-13.0, -14.0)) -> Pairs:
    return Pairs(
        chosen=chosen,
        rejected=rejected,
        reference_chosen=torch.tensor([reference[0], -25.0]),
        reference_rejected=torch.tensor([reference[1], -21.0]),
        chosen_tokens=torch.tensor([6.0, 10.0]),
        rejected_tokens=torch.tensor([5.0, 4.0]),
        drift=torch.tensor(0.5),
    )


def usual() -> Pairs:
    return pairs(torch.tensor(CHOSEN), torch.tensor(REJECTED))


# Computed with Python's own numbers from the formulas of TRL's DPO, ORPO, CPO and KTO trainers.
@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("dpo", {"beta": 0.1}, [0.5981388693815918, 1.0374879504858856]),
        ("dpo", {"beta": 0.5, "label_smoothing": 0.1}, [0.4132616875182229, 2.7485873515737422]),
        ("ipo", {"beta": 0.1}, [21.467777777777773, 33.0625]),
        ("orpo", {"beta": 0.1}, [2.028875078434462, 3.0121748227162226]),
        ("kto", {"beta": 0.1, "undesirable": 1.5}, [0.5906789177500826, 0.7014408428685581]),
        ("simpo", {"beta": 2.0, "gamma": 1.0}, [0.31326168751822286, 0.04858735157374196]),
    ],
)
def test_a_loss_has_the_values_of_its_formula(
    name: str, settings: dict[str, float], expected: list[float]
) -> None:
    found = components.losses.get(name)(usual(), **settings)
    torch.testing.assert_close(found, torch.tensor(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", Prefer.losses)
def test_every_loss_makes_the_better_answer_likelier_and_the_worse_one_less_so(name: str) -> None:
    chosen = torch.tensor(CHOSEN, requires_grad=True)
    rejected = torch.tensor(REJECTED, requires_grad=True)
    loss = components.losses.get(name)(pairs(chosen, rejected))
    assert loss.shape == (2,)
    loss[0].backward()
    assert chosen.grad is not None
    assert rejected.grad is not None
    assert (chosen.grad[0] < 0 < rejected.grad[0], chosen.grad[1], rejected.grad[1]) == (True, 0, 0)


@pytest.mark.parametrize("certain", ["chosen", "rejected"])
def test_an_answer_that_is_certain_has_finite_odds(certain: str) -> None:
    sides = {"chosen": torch.tensor(CHOSEN), "rejected": torch.tensor(REJECTED)}
    sides[certain] = torch.zeros(2)
    for side in sides.values():
        side.requires_grad_()
    loss = preferences.orpo(pairs(**sides))
    loss.sum().backward()
    assert bool(loss.isfinite().all())
    signs = [side.grad.sign().tolist() for side in sides.values() if side.grad is not None]
    assert signs == [[-1, -1], [1, 1]]


def test_a_missing_answer_costs_nothing_in_kto_and_is_refused_by_all_others() -> None:
    both = preferences.kto(usual())
    alone = replace(usual(), rejected=torch.zeros(2), rejected_tokens=torch.zeros(2))
    better = preferences.kto(replace(usual(), chosen_tokens=torch.zeros(2))) + preferences.kto(alone)
    torch.testing.assert_close(better / 2, both)
    for name in Prefer.losses[:-1]:
        with pytest.raises(DataError, match="T32"):
            components.losses.get(name)(alone)


@pytest.mark.parametrize("loss", [preferences.orpo, preferences.simpo])
def test_losses_without_a_reference_do_not_look_at_it(loss: Callable[[Pairs], Tensor]) -> None:
    other = pairs(torch.tensor(CHOSEN), torch.tensor(REJECTED), reference=(-1.0, -99.0))
    torch.testing.assert_close(loss(usual()), loss(other))
