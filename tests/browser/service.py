"""The command line as a user calls it, and a real server that can be killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from world import World


def tunesmith(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command line, as a user calls it."""
    command = [sys.executable, "-m", "tunesmith", *words]
    return subprocess.run(command, cwd=cwd, env=_environment(), capture_output=True, text=True, check=False)


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "LANG": "en_US.UTF-8"}


class Server:
    """`tunesmith studio` (or `serve MODEL`) over a world, in a process of its own."""

    def __init__(self, world: World, *words: str) -> None:
        self.world = world
        self.words = words or ("studio",)
        self.port = 0
        self.ready: dict[str, Any] = {}
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def address(self) -> str:
        """What is printed at the start: the address with the token."""
        return str(self.ready["studio"])

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def start(self) -> Server:
        """Start, or start again at the same port."""
        command = [sys.executable, "-m", "tunesmith", *self.words, "--port", str(self.port), "--json"]
        self._process = subprocess.Popen(
            command, cwd=self.world.folder, env=_environment(), stdout=subprocess.PIPE, text=True
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        self.ready = json.loads(line)
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """The API, as the page uses it."""
        ours = {"X-Tunesmith": "1", "Origin": self.url}
        with httpx.Client(base_url=self.url, headers=ours, timeout=120, trust_env=False) as client:
            client.get(self.address)
            yield client

    def kill(self) -> None:
        """As a crash would: no word, no clean-up."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As a user would; gives the exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(how)
        status = self._process.wait(timeout=30)
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None
        return status
