"""Learning rates: warm up from zero, stay within bounds, end where they should."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core import components
from tunesmith.train.schedules import constant, cosine, linear

every = pytest.mark.parametrize("name", components.schedules.names())


@every
@given(progress=st.floats(0, 1), warmup=st.floats(0, 0.99))
def test_a_factor_is_between_zero_and_one(name: str, progress: float, warmup: float) -> None:
    factor = components.schedules.get(name)(progress, warmup=warmup)
    assert -1e-12 <= factor <= 1 + 1e-12
    assert math.isfinite(factor)


@every
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
