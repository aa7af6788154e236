"""The server of vLLM as ours sees it: started at a free port of this machine, and anew when it dies."""

from __future__ import annotations

import logging
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from tunesmith.core.errors import MissingError, TunesmithError

logger = logging.getLogger(__name__)

SETTING = "TUNESMITH_VLLM"
"""The environment variable with the command of vLLM, which has an environment of its own."""
MODEL = "model"
_LOOK_S = 0.2
_READY_S = 1800.0  # it compiles kernels for large models
_PAUSE_S = 5.0


def command() -> list[str]:
    """What starts vLLM.

    Raises:
        MissingError: S55 when it is not found.
    """
    said = shlex.split(os.environ.get(SETTING, "vllm"))
    found = shutil.which(said[0]) if said else None
    if found is None:
        raise MissingError("S55", setting=SETTING, command=" ".join(said) or "-")
    return [found, *said[1:]]


class VllmProcess:
    """`vllm serve` over the model in a folder, of `context` tokens. Close it to end it."""

    def __init__(self, folder: Path, context: int) -> None:
        self.key = secrets.token_urlsafe(24)  # other users of this machine have no business there
        self.url = f"http://127.0.0.1:{_free_port()}"
        self.up = False
        self._closing = threading.Event()
        self._command = [
            sys.executable, "-P", "-m", "tunesmith.serve.vllm", *command(), "serve", str(folder),
            "--host", "127.0.0.1", "--port", self.url.rpartition(":")[2], "--served-model-name", MODEL,
            "--max-model-len", str(context), "--generation-config", "vllm",
        ]  # fmt: skip
        self._popen = self._spawn()
        self._thread = threading.Thread(target=self._live, name="tunesmith-vllm", daemon=True)

    def wait(self) -> None:
        """Wait until it is ready; from then on it is looked after.

        Raises:
            TunesmithError: S56 when it ends before, or is not ready in half an hour.
        """
        if not self._comes_up():
            status = self._popen.poll()
            self.close()
            raise TunesmithError("S56", status="-" if status is None else status)
        self._thread.start()

    def close(self) -> None:
        """End it; what it is doing is lost."""
        self._closing.set()
        self.up = False
        self._end()
        while self._thread.is_alive():
            self._end()  # which may be another one by now
            self._thread.join(_LOOK_S)

    def _end(self) -> None:
        # Whoever watches over it kills it and all its processes when nobody speaks to them any more.
        if self._popen.stdin:
            self._popen.stdin.close()
        self._popen.wait()

    def _spawn(self) -> subprocess.Popen[bytes]:
        said = {"VLLM_API_KEY": self.key, "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, env={**os.environ, **said})  # noqa: S603

    def _comes_up(self) -> bool:
        """Wait until it answers; False when it has ended, or takes too long."""
        end = time.monotonic() + _READY_S
        while self._popen.poll() is None and time.monotonic() < end and not self._closing.wait(_LOOK_S):
            try:
                self.up = httpx.get(f"{self.url}/health", timeout=5).status_code == 200
            except httpx.HTTPError:
                continue
            if self.up:
                return True
        return False

    def _live(self) -> None:
        """Start it anew some time after each death."""
        while True:
            status = self._popen.wait()
            self.up = False
            self._end()
            if self._closing.wait(_PAUSE_S):
                return
            logger.error("vLLM ended with status %s; it is started again", status)
            try:
                self._popen = self._spawn()
            except OSError as error:
                logger.error("vLLM could not be started again: %s", error)
                continue
            if not self._comes_up():
                self._end()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port
