"""The last minute of a served model: counted by the second, forgotten after it."""

from __future__ import annotations

from tunesmith.serve.meter import Meter
from tunesmith.serve.recent import Tally, Times


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_happened_more_than_a_minute_ago_is_forgotten() -> None:
    clock = Clock()
    tally, times = Tally(clock), Times(clock)
    for second in range(90):
        clock.now = 1000.0 + second
        tally.add(2)
        times.add(float(second))
    assert tally.total() == 2 * 61
    assert times.quantiles(0.0, 0.5, 1.0) == [29.0, 59.0, 89.0]
    clock.now += 61
    assert (tally.total(), times.quantiles(0.5)) == (0, None)


def test_a_failed_request_counts_and_its_time_does_not() -> None:
    meter = Meter()
    meter.answered(0.5, 200)
    meter.answered(9.0, 429)
    assert (meter.requests, meter.failed, meter.lately.failed.total()) == (2, 1, 1)
    assert meter.lately.answered.quantiles(0.95) == [0.5]
