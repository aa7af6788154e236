"""A shadow is asked what its model was asked, after the answer; what it says is counted, and not seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

import httpx
import numpy as np
import pytest

from tunesmith.core.errors import NotFoundError
from tunesmith.serve.deployment import deploy
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.server import serving


class Longer:
    """Says whether texts are longer than so many characters, when it is let."""

    labels = ("long", "short")

    def __init__(self, name: str, bound: int, gate: threading.Event) -> None:
        self.name = name
        self.bound = bound
        self.gate = gate

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        self.gate.wait(20)
        if "poison" in texts and self.name == "m@2":
            raise RuntimeError("a text that breaks the shadow")
        return np.array([[0.9, 0.1] if len(text) > self.bound else [0.2, 0.8] for text in texts])


@pytest.fixture
def gate() -> threading.Event:
    """Closed; the shadow waits for it."""
    return threading.Event()


@pytest.fixture
def served(gate: threading.Event) -> Iterator[Deployments]:
    opened = threading.Event()
    opened.set()
    made = Deployments([deploy(Longer("m@1", 5, opened), aliases=["m"]), deploy(Longer("m@2", 8, gate))])
    made.shadow("m", "m@2", 1.0)
    yield made
    gate.set()
    made.close()


def test_what_a_shadow_says_is_counted_and_nobody_waits_for_it(
    served: Deployments, gate: threading.Event, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    with serving(served) as url, httpx.Client(base_url=url) as http:

        def ask(*texts: str, model: str = "m") -> None:
            for text in texts:
                answer = http.post("/v1/classify", json={"model": model, "input": text})
                assert answer.json()["model"] == "m@1"

        def counted() -> dict[str, int]:
            lines = [line for line in http.get("/metrics").text.splitlines() if 'shadow="m@2"' in line]
            return {line.split('outcome="')[1].split('"')[0]: int(line.split()[-1]) for line in lines}

        ask("abc", "abcdefghi", "abcdefg")  # all answered while the shadow waits
        assert counted() == {}
        gate.set()
        eventually(lambda: counted() == {"same": 2, "different": 1})
        ask("poison")
        eventually(lambda: counted().get("failed") == 1)
        gate.clear()
        ask(*["abc"] * 9)
        eventually(lambda: counted().get("skipped") == 5)
        ask("abc", model="m@1")  # who names a version is compared with none
        gate.set()
        eventually(lambda: counted() == {"same": 6, "different": 1, "failed": 1, "skipped": 5})


def test_a_shadow_must_be_served(served: Deployments) -> None:
    with pytest.raises(NotFoundError, match="S01"):
        served.shadow("m", "m@3", 0.5)
