"""Lengths: numbers that agree with the plain way of counting them, and bins that hold every value."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.profile.lengths import Lengths, described, histogram, truncation

VALUES = st.lists(st.integers(0, 2_000_000), min_size=1, max_size=400)


@given(VALUES)
def test_every_value_is_in_one_bin(values: list[int]) -> None:
    bins = histogram(np.array(values, np.int32))
    assert sum(bins["counts"]) + bins["beyond"] == len(values)
    assert 1 <= len(bins["counts"]) <= 90
    end = bins["start"] + bins["width"] * len(bins["counts"])
    assert bins["beyond"] == sum(value >= end for value in values)
    for i, count in enumerate(bins["counts"]):
        low = bins["start"] + i * bins["width"]
        assert count == sum(low <= value < low + bins["width"] for value in values)


@given(VALUES)
def test_quantiles_are_values_that_occur(values: list[int]) -> None:
    found = described(np.array(values, np.int32))
    ordered = sorted(values)
    assert set(found["quantiles"].values()) <= set(values)
    assert (found["quantiles"]["0"], found["quantiles"]["1"]) == (ordered[0], ordered[-1])
    assert found["quantiles"]["0.5"] == ordered[(len(ordered) + 1) // 2 - 1]
    assert found["total"] == sum(values)


def test_what_does_not_fit_is_counted_in_rows_and_tokens() -> None:
    found = truncation(np.array([3, 10, 11, 25], np.int32), 10)
    assert (found["truncated"], found["lost"]) == (2, 16)
    assert (found["truncated_share"], found["lost_share"]) == (0.5, 16 / 49)


def test_a_very_long_row_does_not_hide_the_others() -> None:
    bins = histogram(np.array([*range(10, 60)] * 20 + [1_500_000], np.int32))
    assert bins["beyond"] == 1
    assert len(bins["counts"]) > 10


def test_no_rows_are_no_lengths() -> None:
    assert described(Lengths().values())["histogram"] is None
