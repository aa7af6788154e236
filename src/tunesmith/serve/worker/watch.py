"""Whether a process still says something; one that is silent, or not ready, for too long is ended.

Silence is counted in looks, not in time: while the server itself does not get to look, because the machine is
busy or was stopped, its processes grow no more silent.
"""

from __future__ import annotations

import logging
import subprocess
import threading
import time

logger = logging.getLogger(__name__)

_LOOK_S = 1.0
# In looks: two minutes, because loading libraries may hold the interpreter, and half an hour to be ready.
_SILENT = 120
_STARTING = 1800


class Watch:
    """Looks after `popen` in a thread of its own until that has ended."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self._silent = 0
        self._starting: int | None = 0  # None: it is ready
        threading.Thread(target=self._work, name="tunesmith-watch", daemon=True).start()

    def heard(self) -> None:
        """It has said something."""
        self._silent = 0

    def ready(self) -> None:
        """It has said that it is ready."""
        self._silent, self._starting = 0, None

    def _work(self) -> None:
        while self._popen.poll() is None:
            time.sleep(_LOOK_S)
            if fault := self._look():
                logger.error("the process of a model is %s; it is ended", fault)
                self._popen.kill()

    def _look(self) -> str | None:
        self._silent += 1
        if self._silent > _SILENT:
            return "silent"
        if self._starting is not None:
            self._starting += 1
        return "not ready in time" if (self._starting or 0) > _STARTING else None
