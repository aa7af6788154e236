"""Metrics and baselines of preferences."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.core.errors import DataError
from tunesmith.eval import baselines, metrics
from tunesmith.eval.outcome import PreferenceOutcome, TokenOutcome

NAMES = ("preference_accuracy", "reward_margin")


def outcome(*rewards: tuple[float, float]) -> PreferenceOutcome:
    tokens = np.array([[3, 9], [7, 2], [5, 5], [1, 4]])[: len(rewards)]
    made = np.array(rewards, dtype=np.float32).reshape(-1, 2)
    return PreferenceOutcome(rewards=made, tokens=tokens, rows=range(len(rewards)))


def test_the_better_answer_should_have_the_higher_reward_and_a_tie_counts_half() -> None:
    found = metrics.measure(NAMES, outcome((1.0, -1.0), (0.5, 2.0), (3.0, 3.0), (4.0, 0.0)))
    assert found == {"preference_accuracy": 2.5 / 4, "reward_margin": pytest.approx((2 - 1.5 + 0 + 4) / 4)}


def test_the_starting_model_rewards_nothing_and_length_rewards_the_longer_answer() -> None:
    beside = outcome((9.0, 0.0), (9.0, 0.0), (9.0, 0.0), (9.0, 0.0))
    found = {
        name: metrics.measure(NAMES, answered)
        for name, answered in baselines.run(["start", "longer"], (), (), beside).items()
    }
    assert found["start"] == {"preference_accuracy": 0.5, "reward_margin": 0.0}
    # Longer is the worse answer, the better one, neither, and the worse one.
    assert found["longer"] == {"preference_accuracy": 1.5 / 4, "reward_margin": -1 / 4}


@pytest.mark.parametrize("name", NAMES)
def test_only_rewards_can_be_compared(name: str) -> None:
    with pytest.raises(DataError, match="T31"):
        metrics.measure([name], TokenOutcome(nll=np.ones(1), tokens=np.ones(1, int), rows=[0]))
    with pytest.raises(DataError, match="E03"):
        metrics.measure([name], outcome())
