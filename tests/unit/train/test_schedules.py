"""Learning rates: warm up from zero, stay within bounds, end where they should."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core import components
from tunesmith.train.schedules import constant, cosine, linear, one_cycle, wsd

every = pytest.mark.parametrize("name", components.schedules.names())


@every
@given(progress=st.floats(0, 1), warmup=st.floats(0, 0.99))
def test_a_factor_is_between_zero_and_one(name: str, progress: float, warmup: float) -> None:
    factor = components.schedules.get(name)(progress, warmup=warmup)
    assert -1e-12 <= factor <= 1 + 1e-12
    assert math.isfinite(factor)


@pytest.mark.parametrize("name", sorted({*components.schedules.names()} - {"one_cycle"}))
def test_the_warm_up_is_a_line_from_zero_to_the_full_rate(name: str) -> None:
    schedule = components.schedules.get(name)
    assert [schedule(p, warmup=0.5) for p in (0, 0.125, 0.25, 0.5)] == pytest.approx([0, 0.25, 0.5, 1])


def test_after_it_each_goes_its_way() -> None:
    at = (0.0, 0.25, 0.5, 1.0)
    assert [constant(p) for p in at] == [1, 1, 1, 1]
    assert [linear(p, warmup=0) for p in at] == [1, 0.75, 0.5, 0]
    expected = [1, (1 + math.sqrt(0.5)) / 2, 0.5, 0]
    assert [cosine(p, warmup=0) for p in at] == pytest.approx(expected)
    assert [cosine(p, warmup=0, floor=0.2) for p in (0, 1)] == pytest.approx([1, 0.2])


def test_warmup_stable_decay_holds_the_full_rate_until_the_last_part() -> None:
    at = (0.05, 0.1, 0.5, 0.75, 0.875, 1.0)
    assert [wsd(p, warmup=0.1, decay=0.25) for p in at] == pytest.approx([0.5, 1, 1, 1, 0.5, 0])
    assert wsd(1.0, floor=0.1) == pytest.approx(0.1)
    assert wsd(0.6, warmup=0.6, decay=0.9) == 1


def test_one_cycle_goes_up_from_its_start_and_down_to_zero() -> None:
    at = (0.0, 0.2, 0.4, 0.7, 1.0)
    assert [one_cycle(p, warmup=0.4, start=0.2) for p in at] == pytest.approx([0.2, 0.6, 1, 0.5, 0])
