"""How the process of an engine begins and ends."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from tunesmith.core.errors import ModelError, TunesmithError
from tunesmith.serve.worker import __main__ as program
from tunesmith.serve.worker import beat, computing, watch
from tunesmith.serve.worker.beat import Beat
from tunesmith.serve.worker.channel import Channel
from tunesmith.serve.worker.process import Process
from tunesmith.serve.worker.watch import Watch


def test_what_loading_a_model_leaves_in_a_cycle_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loaded:
        def __init__(self, *_: Any) -> None:
            module = type("Module", (), {})()
            module.itself = module
            left.append(weakref.ref(module))

    left = list[weakref.ref[Any]]()
    monkeypatch.setattr(computing, "Computing", Loaded)
    try:
        program._computing({}, Channel(BytesIO(), BytesIO()))
        assert gc.isenabled()
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()
    assert left[0]() is None


def test_what_it_says_of_its_failure_is_raised(start: Callable[..., Process]) -> None:
    with pytest.raises(ModelError, match="M13"):
        start(fails="told").facts()


def test_one_that_ends_before_it_is_ready_is_told_of(start: Callable[..., Process]) -> None:
    with pytest.raises(TunesmithError, match="S49") as error:
        start(fails="untold").facts()
    assert error.value.problems[0].values["status"] == -9


def test_silence_is_counted_in_looks_and_so_is_a_start_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_SILENT", 2)
    monkeypatch.setattr(watch, "_STARTING", 4)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    starting, ready = Watch(ended), Watch(ended)
    ready.ready()
    assert [starting._look() for _ in range(3)] == [None, None, "silent"]
    found = list[tuple[str | None, str | None]]()
    for _ in range(5):
        starting.heard()
        ready.heard()
        found.append((starting._look(), ready._look()))
    assert found == [(None, None)] * 2 + [("not ready in time", None)] * 3


def test_work_does_not_keep_a_process_from_saying_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat, "_BEAT_S", 0.01)
    said = BytesIO()
    Beat(Channel(BytesIO(), said))
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        """A loop that never waits."""
    assert said.getvalue().count(b"alive") > 3


def test_what_is_no_message_is_refused_before_memory_is_taken_for_it() -> None:
    with pytest.raises(ValueError, match="too long"):
        Channel(BytesIO(b"\xff" * 100), BytesIO()).receive()


def test_it_ends_when_nobody_speaks_to_it() -> None:
    command = [sys.executable, "-m", "tunesmith.serve.worker"]
    assert subprocess.run(command, stdin=subprocess.DEVNULL, timeout=60, check=False).returncode == 0


def test_what_is_sent_over_a_pipe_that_was_closed_meanwhile_is_lost(start: Callable[..., Process]) -> None:
    """As when a process is ended while it is started again."""
    process = start()
    process.facts()
    process.close()
    with pytest.raises(OSError):  # noqa: PT011  it has no message
        process._channel.send(b"anything")
