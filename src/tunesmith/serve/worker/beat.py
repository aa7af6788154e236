"""The sign of life of an engine's process, also while it loads libraries and a model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from tunesmith.serve.worker.channel import Channel, Message, write

_BEAT_S = 1.0


class Beat:
    """Tells the server every second how its process is, in a thread of its own, so that no work delays it.

    `state` is what is told; where it is None, nothing is, and before long the server ends the process.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.state: Callable[[], Message | None] = lambda: {"is": "alive", "healthy": True}
        threading.Thread(target=self._work, name="tunesmith-beat", daemon=True).start()

    def _work(self) -> None:
        with suppress(OSError, ValueError):  # the server is gone
            while True:
                if said := self.state():
                    self._channel.send(write(said))
                time.sleep(_BEAT_S)
