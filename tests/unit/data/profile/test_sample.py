"""Samples and estimates: the same whatever the batches, spread over all rows, and near the truth."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.profile.sample import Distinct, Sample


def sampled(rows: int, batch: int, seed: int = 0) -> list[int]:
    sample = Sample({"_row": pl.Int64()}, seed=seed, rows=100)
    frame = pl.DataFrame({"_row": range(rows)}, schema={"_row": pl.Int64})
    for start in range(0, rows, batch):
        sample.add(frame[start : start + batch])
    return sample.frame()["_row"].to_list()


@given(st.integers(1, 3000))
def test_a_sample_does_not_depend_on_batches(batch: int) -> None:
    assert sampled(3000, batch) == sampled(3000, 3000)


def test_a_sample_comes_from_everywhere_and_changes_with_the_seed() -> None:
    rows = sampled(10_000, 1000)
    assert len(rows) == 100
    assert 3_500 < sum(rows) / 100 < 6_500
    assert rows != sampled(10_000, 1000, seed=1)


def test_few_rows_are_all_in_the_sample() -> None:
    assert sampled(7, 3) == list(range(7))


@pytest.mark.parametrize("different", [0, 1, 4_000, 50_000])
def test_different_values_are_counted_exactly_or_nearly(different: int) -> None:
    values = pl.Series([f"value {i}" for i in range(different)] * 2, dtype=pl.String)
    found = Distinct()
    for start in range(0, len(values), 7_000):
        found.add(values[start : start + 7_000])
    assert found.is_exact == (different < 4_096)
    assert found.count() == pytest.approx(different, rel=0.0 if found.is_exact else 0.05)
