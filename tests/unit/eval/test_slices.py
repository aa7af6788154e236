"""Parts on which a model is worse are found, whatever the metric; in noise nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.eval import slices
from tunesmith.eval.sums import Sums, hits, mean

ROWS = 400


@pytest.fixture
def columns() -> dict[str, list[tuple[str, ...]]]:
    """Two columns that divide the rows, and one that says little."""
    rng = np.random.default_rng(1)
    channels = [(("mail", "chat", "phone")[i],) for i in rng.integers(3, size=ROWS)]
    lengths = [(("short", "long")[i],) for i in rng.integers(2, size=ROWS)]
    return {"channel": channels, "length": lengths, "once": [(str(i),) for i in range(ROWS)]}


def right(columns: dict[str, list[tuple[str, ...]]], worse: dict[str, str], share: float, seed: int) -> Sums:
    """Nine in ten rows are right, of those that meet all of `worse` only a `share`."""
    rng = np.random.default_rng(seed)
    where = np.all([[row == (value,) for row in columns[name]] for name, value in worse.items()], axis=0)
    return hits(rng.random(ROWS) < np.where(where, share, 0.9))


def test_a_worse_part_is_found_with_its_figure_and_that_of_the_others(columns):
    found = slices.search("accuracy", right(columns, {"channel": "phone"}, 0.5, 2), columns, lower=False)
    worst = found.worst[0]
    # That phone calls are short says nothing more.
    assert [(c.column, c.value) for c in worst.conditions] == [("channel", "phone")]
    assert worst.value < 0.6 < 0.85 < worst.rest
    assert worst.p < 0.001
    assert {c.column for each in found.groups for c in each.conditions} == {"channel", "length"}


def test_what_only_two_conditions_tell_is_told_by_two(columns):
    sums = right(columns, {"channel": "phone", "length": "long"}, 0.3, 3)
    found = slices.search("accuracy", sums, columns, lower=False)
    assert [c.value for c in found.worst[0].conditions] == ["phone", "long"]
    # Either alone is diluted by rows that are right.
    assert all(each.value > found.worst[0].value for each in found.worst[1:])


def test_in_noise_a_part_is_reported_at_most_one_time_in_twenty(columns):
    none = {"channel": "nobody"}
    found = [
        slices.search("accuracy", right(columns, none, 0.9, s), columns, lower=False) for s in range(100)
    ]
    assert sum(bool(each.worst) for each in found) <= 5


def test_sums_that_are_no_hits_and_lower_figures_are_held_too(columns):
    rng = np.random.default_rng(5)
    chat = np.array([row == ("chat",) for row in columns["channel"]])
    errors = mean(rng.exponential(1.0, ROWS) + chat)
    found = slices.search("mae", errors, columns, lower=True)
    assert found.worst[0].conditions[0].value == "chat"
    assert found.worst[0].value > found.worst[0].rest
    assert not slices.search("score", errors, {"length": columns["length"]}, lower=False).worst


def test_without_columns_there_is_nothing_to_look_at(columns):
    sums = hits(np.ones(ROWS))
    assert slices.search("accuracy", sums, {"once": columns["once"]}, lower=False) is None


def test_the_influence_of_rows_on_a_mean_is_their_distance_from_it():
    values = np.array([1.0, 2.0, 6.0])
    assert slices.influence(mean(values)) == pytest.approx((values - 3) * 3 / 2)
