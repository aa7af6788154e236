"""Losses are torch's, row by row."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from tunesmith.core import components
from tunesmith.tasks.prefer import Prefer
from tunesmith.train.losses import bce, bradley_terry, cross_entropy, focal, huber, mse

LOGITS = torch.randn(7, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
TARGET = torch.tensor([0, 1, 2, 3, 4, 0, 1])
# Those of preferences take pairs of answers, `kl` what a teacher says, and these numbers.
OF_NUMBERS = {"mse", "huber", "bradley_terry", "cosine"}
OF_LOGITS = sorted({*components.losses.names()} - {*Prefer.losses, *OF_NUMBERS, "kl"})


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_torchs(smoothing: float) -> None:
    found = cross_entropy(LOGITS, TARGET, label_smoothing=smoothing)
    expected = functional.cross_entropy(LOGITS, TARGET, label_smoothing=smoothing)
    torch.testing.assert_close(found.mean(), expected)


@pytest.mark.parametrize("name", OF_LOGITS)
def test_a_loss_is_one_number_a_row_with_a_gradient_and_no_row_knows_another(name: str) -> None:
    loss = components.losses.get(name)
    logits = LOGITS.clone().requires_grad_(requires_grad=True)
    found = loss(logits, TARGET)
    assert found.shape == (7,)
    torch.testing.assert_close(found[2:3], loss(logits[2:3], TARGET[2:3]))
    found[2].backward()
    assert logits.grad is not None
    assert [bool(row.abs().sum()) for row in logits.grad] == [i == 2 for i in range(7)]


@pytest.mark.parametrize("name", OF_LOGITS)
def test_a_sure_right_answer_costs_less_than_a_sure_wrong_one(name: str) -> None:
    logits = torch.tensor([[9.0, 0.0], [0.0, 9.0]])
    right, wrong = components.losses.get(name)(logits, torch.tensor([0, 0]))
    assert right < wrong


SEVERAL = torch.tensor([[1.0, 0, 0, 1, 0], [0.0, 0, 0, 0, 0]], dtype=torch.float64)


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_focal_without_its_exponent_is_the_usual_loss_and_with_it_smaller(gamma: float) -> None:
    for logits, target, usual in (
        (LOGITS, TARGET, cross_entropy(LOGITS, TARGET)),
        (LOGITS[:2], SEVERAL, bce(LOGITS[:2], SEVERAL)),
    ):
        found = focal(logits, target, gamma=gamma)
        if gamma:
            assert bool((found < usual).all())
        else:
            torch.testing.assert_close(found, usual)


def test_focal_is_the_formula_of_its_paper() -> None:
    likely = torch.tensor([0.9, 0.2])
    logits = torch.stack([likely, 1 - likely], dim=1).log()
    found = focal(logits, torch.tensor([0, 0]), gamma=2.0)
    torch.testing.assert_close(found, torch.tensor([-(0.1**2), -(0.8**2)]) * likely.log())


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_focal_has_a_gradient_where_nothing_is_left_to_learn(gamma: float) -> None:
    for target in (torch.tensor([0]), torch.tensor([[1.0, 0.0]])):
        logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
        focal(logits, target, gamma=gamma).sum().backward()
        assert logits.grad is not None
        assert logits.grad.tolist() == [[0.0, 0.0]]


def test_bce_takes_classes_as_indices_too() -> None:
    one_hot = functional.one_hot(TARGET, 5).double()
    torch.testing.assert_close(bce(LOGITS, TARGET), bce(LOGITS, one_hot))
    assert bce(LOGITS, TARGET, label_smoothing=0.2).mean() != bce(LOGITS, TARGET).mean()


def test_errors_of_numbers_cost_their_square_and_beyond_delta_less() -> None:
    predicted, target = torch.tensor([0.5, 4.0]), torch.tensor([0.0, 0.0])
    torch.testing.assert_close(mse(predicted, target), torch.tensor([0.25, 16.0]))
    torch.testing.assert_close(huber(predicted, target), torch.tensor([0.125, 3.5]))


def test_a_reward_that_is_larger_by_much_is_no_surprise() -> None:
    found = bradley_terry(torch.tensor([0.0, 9.0, 0.0]), torch.tensor([0.0, 0.0, 9.0]))
    torch.testing.assert_close(found, torch.tensor([0.0, -9.0, 9.0]).exp().log1p())
