"""Losses are torch's, row by row."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from tunesmith.core import components
from tunesmith.tasks.prefer import Prefer
from tunesmith.train.losses import cross_entropy

LOGITS = torch.randn(7, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
TARGET = torch.tensor([0, 1, 2, 3, 4, 0, 1])
# Those of preferences take pairs of answers.
OF_LOGITS = sorted({*components.losses.names()} - {*Prefer.losses})


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
