"""The process of an engine: loads the model that its server names, and computes what it is told to.

It lives as long as its server listens, whatever signals come. What libraries print goes to stderr, because
stdout is the pipe to the server.
"""

from __future__ import annotations

import gc
import os
import queue
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.worker.beat import Beat
from tunesmith.serve.worker.channel import Channel, Message, write
from tunesmith.serve.worker.codec import error_out

if TYPE_CHECKING:
    from tunesmith.serve.worker.computing import Computing


def main() -> None:
    """Run until the server is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server ends what was begun, and then us
    # Not `sys.stdin`: closing that at the end would wait for the thread that listens.
    channel = Channel(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    wishes = channel.receive()
    if wishes is None:
        return
    inbox, beat = _Inbox(channel), Beat(channel)
    try:
        computing = _computing(wishes, channel)
    except TunesmithError as error:
        channel.send(write({"is": "failed", "error": error_out(error)}))
        return
    computing.run(inbox.pour_into, beat)


def _computing(wishes: Message, channel: Channel) -> Computing:
    """Load the model. What lives as long as we do is kept from the collector.

    Libraries make a million such objects, among which nothing is gained by looking for cycles. One look at
    the end frees a module whose weights were packed: it is in a cycle.
    """
    gc.disable()
    from tunesmith.serve.worker.computing import Computing

    made = Computing(wishes, channel)
    gc.collect()
    gc.freeze()
    gc.enable()
    return made


class _Inbox:
    """Listens from the beginning, so that the end of the server is noticed while a model is loaded."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._kept: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._sink: Callable[[Message], None] = self._kept.put
        self._changing = threading.Lock()
        threading.Thread(target=self._listen, name="tunesmith-inbox", daemon=True).start()

    def _listen(self) -> None:
        while (message := self._channel.receive()) is not None:
            with self._changing:
                self._sink(message)
        os._exit(0)  # whatever it is computing

    def pour_into(self, sink: Callable[[Message], None]) -> None:
        """Hand on what came, and from now on what comes."""
        with self._changing:
            while not self._kept.empty():
                sink(self._kept.get())
            self._sink = sink


if __name__ == "__main__":
    main()
