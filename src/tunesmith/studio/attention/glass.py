"""The server's side of attention: a process that is started when somebody asks, and ended when nobody does.

A model that takes too long, or more memory than there is, takes that process down and nothing else.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from typing import Any, cast

from tunesmith.core import spinning
from tunesmith.core.errors import TunesmithError
from tunesmith.core.workspace import Workspace
from tunesmith.serve.worker.channel import Channel, Message, write
from tunesmith.serve.worker.codec import error_in
from tunesmith.studio import room

logger = logging.getLogger(__name__)

COMMAND = (sys.executable, "-P", "-m", "tunesmith.studio.attention")
_LOOKS_S = 120.0
_RESTS_S = 300.0
# Whoever waits holds a thread of the server; the one that looks is counted too.
_SEATS = 4


class Glass:
    """Looks into one model at a time, for one caller after the other. Close it when the server ends."""

    def __init__(self, workspace: Workspace, *, looks: float = _LOOKS_S, rests: float = _RESTS_S) -> None:
        self._workspace, self._looks, self._rests = workspace, looks, rests
        self._looking = threading.Lock()
        self._seats = threading.BoundedSemaphore(_SEATS)
        self._popen: subprocess.Popen[bytes] | None = None
        self._model = ""
        self._resting = threading.Timer(0, self._rest)
        self._closed = threading.Event()

    def look(self, model: str, text: str, kind: str | None, layer: int) -> Message:
        """One layer: `numbers` are bytes [heads, queries, keys]; with its kind, and what else there is.

        Raises:
            ModelError: M44 when the model shows no attention, or what came up while it was loaded.
            UsageError: W56 when it has no such layer.
            MemoryShortError: W57 when there is no room for it.
            TunesmithError: S03 when too many wait, W34 when it took too long, W35 when the process died, S07
                when it is closed.
        """
        if not self._seats.acquire(blocking=False):
            raise TunesmithError("S03", waiting=_SEATS)
        try:
            return self._look({"model": model, "text": text, "kind": kind, "layer": layer})
        finally:
            self._seats.release()

    def _look(self, wishes: dict[str, Any]) -> Message:
        model = wishes["model"]
        with self._looking:
            self._resting.cancel()
            if self._closed.is_set():
                raise TunesmithError("S07")
            if model != self._model:
                self._end()  # before the next one takes its memory
                room.require(self._workspace, model)
            said = self._ask(wishes)
            self._resting = threading.Timer(self._rests, self._rest)
            self._resting.daemon = True
            self._resting.start()
        if "error" in said:
            raise error_in(said["error"])
        return said

    def close(self) -> None:
        """End the process at once, also while it looks: the server waits for nobody's question."""
        self._closed.set()
        if (popen := self._popen) is not None:
            popen.kill()
        self._rest()

    def _rest(self) -> None:
        """End the process when it is not looking; the next question starts another."""
        with self._looking:
            self._resting.cancel()
            self._end()

    def _ask(self, wishes: dict[str, Any]) -> Message:
        sent = [write(wishes)]
        if self._popen is None:
            self._popen = self._spawn()
            sent.insert(0, write({"root": str(self._workspace.root), "store": self._workspace.store}))
        self._model = wishes["model"]
        late = threading.Event()
        timer = threading.Timer(self._looks, _kill, (self._popen, late))
        timer.start()
        try:
            for written in sent:
                self._channel.send(written)
            said = self._channel.receive()
        except OSError:
            said = None
        finally:
            timer.cancel()
        if said is None:
            raise self._lost(wishes["model"], is_late=late.is_set())
        return said

    def _spawn(self) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        environment = {**os.environ, **spinning.environment()}
        popen = subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, env=environment)  # noqa: S603  a command of ours
        self._channel = Channel(cast("Any", popen.stdout), cast("Any", popen.stdin))
        return popen

    def _lost(self, model: str, *, is_late: bool) -> TunesmithError:
        status = self._end()
        logger.warning("the process that looked into %s ended with status %s", model, status)
        if is_late:
            return TunesmithError("W34", name=model, seconds=round(self._looks))
        return TunesmithError("W35", name=model, status=status)

    def _end(self) -> int | None:
        """See that there is no process; the status of the one that was there."""
        if self._popen is None:
            return None
        self._popen.kill()
        status = self._popen.wait()
        self._channel.close()
        self._popen, self._model = None, ""
        return status


def _kill(popen: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    popen.kill()
