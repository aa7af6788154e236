"""Mixup: a row is a part of itself and a part of another one, and so is what is wanted of it."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from tunesmith.tasks.classify import Classify
from tunesmith.tasks.mixed import Mixed
from tunesmith.tasks.task import Example, Learner
from tunesmith.train.losses import cross_entropy

ROWS = [Example(row, np.array([1], np.int32), row, 1.0 + row) for row in range(6)]


def mixed(alpha: float = 0.4) -> Mixed:
    return Mixed(task=Classify(), learner=cast("Learner", None), alpha=alpha)


def test_the_other_row_brings_its_label_by_the_share_it_has() -> None:
    asked: list[tuple[Tensor, Tensor]] = []

    def loss(logits: Tensor, target: Tensor) -> Tensor:
        asked.append((logits, target))
        return cross_entropy(logits, target)

    torch.manual_seed(1)
    # Row i says label i alone, so that a mixture tells what is in it.
    found = mixed().compare(torch.eye(6), ROWS, loss)
    (logits, own), (same, other) = asked
    assert torch.equal(logits, same)
    assert own.tolist() == list(range(6))
    assert sorted(other.tolist()) == list(range(6))
    assert not bool((own == other).any())
    torch.testing.assert_close(logits[range(6), own] + logits[range(6), other], torch.ones(6))
    share = logits[range(6), own]
    losses = share * cross_entropy(logits, own) + (1 - share) * cross_entropy(logits, other)
    torch.testing.assert_close(found, (losses * (1.0 + torch.arange(6))).sum())


def test_a_row_alone_is_what_it_is_and_the_same_seed_mixes_the_same() -> None:
    one = mixed().compare(torch.tensor([[2.0, 0.0]]), ROWS[:1], cross_entropy)
    torch.testing.assert_close(one, cross_entropy(torch.tensor([[2.0, 0.0]]), torch.tensor([0])).sum())
    made: list[Any] = []
    for _ in range(2):
        torch.manual_seed(5)
        made.append(mixed().compare(torch.eye(6), ROWS, cross_entropy))
    assert torch.equal(*made)
