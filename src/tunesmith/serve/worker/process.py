"""The process of an engine as its server sees it: started, watched, and started anew when it dies.

A process that says nothing for a while is taken for dead and ended. Between deaths there are growing pauses,
so that a model that cannot live costs little.
"""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, Protocol, cast

from tunesmith.core import spinning
from tunesmith.core.errors import TunesmithError
from tunesmith.serve.worker.channel import Channel, Message, write
from tunesmith.serve.worker.codec import error_in
from tunesmith.serve.worker.watch import Watch

logger = logging.getLogger(__name__)

_COMMAND = (sys.executable, "-P", "-m", "tunesmith.serve.worker")  # -P: no modules out of this folder
_JOIN_S = 0.1
_PAUSES_S = (0.2, 1.0, 5.0, 30.0)
_LONG_S = 60.0  # who lived so long may be started at once


class Listener(Protocol):
    """Who is told of a process, in the process's own thread here."""

    def heard(self, message: Message) -> None:
        """The process says something."""

    def came(self) -> None:
        """The process is ready."""

    def left(self) -> None:
        """The process died."""


class Process:
    """A process that carries out `wishes`, alive again some time after each death, until it is closed."""

    def __init__(self, wishes: Mapping[str, Any]) -> None:
        self._wishes = wishes
        self._closing = threading.Event()
        self._deaths = 0
        self.up = False
        self._popen = self._spawn()
        self._thread: threading.Thread | None = None

    @property
    def pid(self) -> int:
        """The id of the process that is there now."""
        return self._popen.pid

    @property
    def hopeless(self) -> bool:
        """Whether it has died again and again without living for long."""
        lives = self.up and time.monotonic() - self._born > _LONG_S
        return self._deaths >= len(_PAUSES_S) and not lives

    def facts(self) -> Message:
        """Wait until the process is ready; what it tells of its model.

        Raises:
            TunesmithError: what came up while the model was loaded, or S49 when the process ended; one that
                is not ready in half an hour is ended.
        """
        return self._ready()

    def listen(self, listener: Listener) -> None:
        """Tell somebody what the process says and what becomes of it, from now on."""
        self._listener = listener
        self._thread = threading.Thread(target=self._live, name="tunesmith-worker", daemon=True)
        self._thread.start()
        listener.came()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message, without waiting until it is read. Lost when the process is dead."""
        self._outgoing.put(write(message))

    def close(self) -> None:
        """End the process; what it is doing is lost."""
        self._closing.set()
        self._end()
        while self._thread and self._thread.is_alive():
            self._popen.kill()  # which may be another one by now
            self._thread.join(_JOIN_S)

    def _spawn(self) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        environment = {**os.environ, **spinning.environment()}
        popen = subprocess.Popen(_COMMAND, stdin=pipe, stdout=pipe, env=environment)  # noqa: S603  ours
        # Of this life only: what was meant for one that died is not done by the next.
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._channel = Channel(cast("Any", popen.stdout), cast("Any", popen.stdin))
        self._watch = Watch(popen)
        try:
            self._channel.send(write(self._wishes))
        except OSError:
            logger.info("a worker ended at once")
        return popen

    def _ready(self) -> Message:
        while (said := self._channel.receive()) and said["is"] == "alive":
            self._watch.heard()
        if said is None:
            self._end()
            raise TunesmithError("S49", status=self._popen.returncode)
        if said["is"] == "failed":
            self._end()
            raise error_in(said["error"])
        self._watch.ready()
        self.up, self._born = True, time.monotonic()
        return said

    def _live(self) -> None:
        while not self._closing.is_set():
            self._listen()
            if not self._closing.is_set():
                logger.error("the process of a model ended with status %s", self._popen.returncode)
                self._again()
        self._end()

    def _listen(self) -> None:
        """Hear the process out until it dies."""
        writer = threading.Thread(target=self._write, name="tunesmith-worker-writer", daemon=True)
        writer.start()
        try:
            self._hear()
        except Exception:
            logger.exception("what the process of a model said is not understood; it is ended")
        self.up = False
        self._popen.kill()  # one that only stopped reading would keep the writer
        self._outgoing.put(None)
        writer.join()
        self._end()
        self._listener.left()

    def _hear(self) -> None:
        while (message := self._channel.receive()) is not None:
            self._watch.heard()
            self._listener.heard(message)

    def _write(self) -> None:
        """Send what is to be sent."""
        while (written := self._outgoing.get()) is not None:
            try:
                self._channel.send(written)
            except OSError:
                logger.debug("nobody reads what is sent")

    def _again(self) -> None:
        """Start anew after a pause, until that succeeds."""
        lived = time.monotonic() - self._born
        self._deaths = 0 if lived > _LONG_S else self._deaths + 1
        while not self._closing.wait(_PAUSES_S[min(self._deaths, len(_PAUSES_S)) - 1] if self._deaths else 0):
            try:
                self._popen = self._spawn()
                self._ready()
            except (TunesmithError, OSError, ValueError) as error:
                logger.error("a model could not be started again: %s", error)
                self._end()
                self._deaths += 1
                continue
            self._listener.came()
            return

    def _end(self) -> None:
        """See that the process is gone; it has nothing to lose."""
        self._popen.kill()
        self._popen.wait()
        self._channel.close()
