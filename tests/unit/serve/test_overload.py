"""Ten times what a model can answer: what was accepted is answered, the rest is told to wait.

Among the faults it lasts ten seconds; TUNESMITH_OVERLOAD_S=120 makes it two minutes.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tunesmith.serve.admission import Limits
from tunesmith.serve.deployment import deploy
from tunesmith.serve.load import Load, measure
from tunesmith.serve.server import serving

FAULTS_S = float(os.environ.get("TUNESMITH_OVERLOAD_S", "10"))


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
    ("seconds", "goodput"), [(1.5, 0.6), pytest.param(FAULTS_S, 0.9, marks=pytest.mark.faults)]
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
        load(28, min(seconds / 2, 5))  # what a server under load keeps at hand is no growth
        before = resident()
        reached, errors = load(28, seconds)  # each asks again after 100 ms: 200 a second
        assert errors == {"429"}
        assert reached >= goodput * peak
        if goodput > 0.6:
            grown = resident() / before - 1
            print(f"{peak:.1f} requests/s alone, {reached:.1f} under tenfold load, memory {grown:+.1%}")
            assert grown < 0.05
        _, errors = load(4, 0.1)
        assert errors == set()
