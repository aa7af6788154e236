"""Processes without a model, which start at once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith.serve.worker import process
from tunesmith.serve.worker.process import Process


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Process]]:
    """Start a stub."""
    monkeypatch.setattr(process, "_COMMAND", (sys.executable, str(Path(__file__).with_name("stub.py"))))
    monkeypatch.setattr(process, "_PAUSES_S", (0.0, 0.0, 0.0))
    started: list[Process] = []

    def begin(**wishes: Any) -> Process:
        started.append(Process(wishes))
        return started[-1]

    yield begin
    for one in started:
        one.close()
