"""The mean of the weights forgets exponentially, and the weights themselves come back."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tunesmith.train.averaging import Average


def test_early_steps_forget_faster_than_the_decay_says() -> None:
    weight = nn.Parameter(torch.zeros(1))
    average = Average({"w": weight}, 0.5)
    expected = 0.0
    for step in range(1, 20):
        weight.data.fill_(step)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    assert average.tensors["average.w"].item() == pytest.approx(expected)


def test_inside_the_block_the_weights_are_the_mean_and_after_it_themselves() -> None:
    weight = nn.Parameter(torch.zeros(1))
    average = Average({"w": weight}, 0.9)
    weight.data.fill_(8)
    with average.in_place():
        assert weight.item() == 0
    assert weight.item() == 8
    average.put()
    assert weight.item() == 0
