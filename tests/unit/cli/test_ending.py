"""A server that cannot end in order ends all the same, and says what was in the way."""

from __future__ import annotations

import os
import threading

import pytest

from tunesmith.cli import ending


def test_it_ends_when_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    over = threading.Event()
    monkeypatch.setattr(ending, "END_S", 0.01)
    monkeypatch.setattr(os, "_exit", lambda status: over.set() if status == 1 else None)
    ending.begin()
    assert over.wait(10)
    assert "test_it_ends_when_its_time_is_over" in capfd.readouterr().err
