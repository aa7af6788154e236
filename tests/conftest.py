"""Fixtures for all tests: where the shared data is, and no network but loopback."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Tiny models are fastest on one thread, and tests must not wait for each other's threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples every time: a check that fails by chance teaches people to try again.
settings.register_profile("check", derandomize=True, deadline=None)
settings.load_profile("check")

SHARED = Path(os.environ.get("TUNESMITH_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets, outside the repository."""
    if not SHARED.is_dir():
        pytest.skip(f"no shared data at {SHARED}; set TUNESMITH_SHARED_DATA")
    return SHARED


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server that runs while tests ask for it."""
    import postgres

    with postgres.server() as url:
        yield url


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to any other machine is an error."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
