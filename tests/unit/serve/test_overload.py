"""Ten times what a model can answer: what was accepted is answered, the rest is told to wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tunesmith.serve.admission import Limits
from tunesmith.serve.deployment import deploy
from tunesmith.serve.load import Load, measure
from tunesmith.serve.server import serving


class Slow:
    """A classifier that takes 200 ms for whatever is in its batch: with four in it, 20 a second."""

    name = "slow"
    labels = ("a", "b")

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        time.sleep(0.2)
        return np.tile([0.5, 0.5], (len(texts), 1))


def resident() -> int:
    """Resident memory in pages."""
    return int(Path("/proc/self/statm").read_text().split()[1])


@pytest.mark.parametrize(
    ("seconds", "goodput"), [(1.5, 0.6), pytest.param(120.0, 0.9, marks=pytest.mark.faults)]
)
def test_overload_loses_nothing_that_was_accepted(seconds: float, goodput: float) -> None:
    def load(clients: int, seconds: float) -> tuple[float, set[str]]:
        asked = Load(clients=clients, seconds=seconds, words=3)
        found = asyncio.run(measure(url, asked, model="slow", task="classify")).as_dict()
        return found["requests_per_second"], set(found["errors"])

    limits = Limits(batch=4, queue_requests=8)
    with serving([deploy(Slow(), limits=limits)]) as url:
        peak, errors = load(8, min(seconds, 10))
        assert errors == set()
        before = resident()
        reached, errors = load(28, seconds)  # each asks again after 100 ms: 200 a second
        assert errors == {"429"}
        assert reached >= goodput * peak
        if seconds > 60:
            assert resident() < 1.05 * before
        _, errors = load(4, 0.1)
        assert errors == set()
