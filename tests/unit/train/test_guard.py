"""The guard knows what is no number and what is far above the usual, and remembers over a checkpoint."""

from __future__ import annotations

import json
import math

import pytest

from tunesmith.train.guard import PATIENCE, Guard


def calm(guard: Guard, losses: int) -> None:
    for number in range(losses):
        assert guard.reason(2.0 + number % 2, 1.0) is None


@pytest.mark.parametrize(
    ("loss", "norm"), [(math.nan, 1.0), (math.inf, 1.0), (1.0, math.nan), (1.0, math.inf)]
)
def test_what_is_no_finite_number_is_bad_from_the_first_step_on(loss: float, norm: float) -> None:
    assert Guard(None).reason(loss, norm) == "not_finite"


def test_a_loss_far_above_the_usual_is_a_spike_only_where_spikes_are_looked_for() -> None:
    for spike, expected in ((None, None), (4.0, "spike")):
        guard = Guard(spike)
        calm(guard, 20)
        assert guard.reason(11.0, 1.0) == expected


def test_nothing_is_a_spike_before_the_usual_is_known() -> None:
    guard = Guard(2.0)
    calm(guard, 5)
    assert guard.reason(100.0, 1.0) is None


def test_a_spike_does_not_become_the_usual() -> None:
    guard = Guard(4.0)
    calm(guard, 32)
    for _ in range(40):
        assert guard.reason(50.0, 1.0) == "spike"


def test_losses_below_zero_are_no_spikes() -> None:
    guard = Guard(2.0)
    for _ in range(20):
        assert guard.reason(-3.0, 1.0) is None
    assert guard.reason(1.0, 1.0) is None


def test_a_good_step_ends_a_row_of_bad_ones() -> None:
    guard = Guard(None)
    assert [guard.skip() for _ in range(PATIENCE)] == [True] * PATIENCE
    assert guard.reason(1.0, 1.0) is None
    assert [guard.skip() for _ in range(PATIENCE + 1)] == [True] * PATIENCE + [False]


def test_what_it_remembers_survives_a_checkpoint() -> None:
    guard, other = Guard(4.0), Guard(4.0)
    calm(guard, 20)
    guard.skip()
    other.restore(json.loads(json.dumps(guard.state())))
    assert other.state() == guard.state()
    assert other.reason(11.0, 1.0) == "spike"
