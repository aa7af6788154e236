"""What augmentation brought is told with the chance of rows and of seeds in it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tunesmith.eval.ablation import Seed, ablation
from tunesmith.eval.significance import Interval


def pair(half: float) -> Any:
    return SimpleNamespace(interval=lambda: Interval(low=-half, high=half))


def verdict(gains: list[float], half: float, *, lower: bool = False) -> str:
    seeds = [Seed(seed=i, augmented=0.5 + gain, plain=0.5) for i, gain in enumerate(gains)]
    found = ablation("m", seeds, [pair(half)] * len(gains), {}, lower_is_better=lower)
    assert found.low <= found.difference <= found.high
    return found.verdict


@pytest.mark.parametrize(
    ("gains", "half", "lower", "said"),
    [
        ([0.05], 0.01, False, "one_seed"),
        ([0.05, 0.05], 0.06, False, "unclear"),
        ([0.05, 0.05, 0.05], 0.01, False, "helps"),
        ([0.15, -0.05, 0.05], 0.01, False, "unclear"),  # a lucky seed
        ([-0.05, -0.05], 0.01, False, "hurts"),
        ([-0.05, -0.05], 0.01, True, "helps"),
        ([0.05, 0.05], 0.0, False, "unclear"),  # where nothing is known of chance
    ],
)
def test_a_gain_is_told_only_where_it_is_more_than_chance(
    gains: list[float], half: float, lower: bool, said: str
) -> None:
    assert verdict(gains, half, lower=lower) == said
