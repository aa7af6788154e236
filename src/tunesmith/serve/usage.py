"""How much each key is used: counted in memory, put into the store every second by a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from tunesmith.core.store import Store
from tunesmith.serve.caller import CALLER

logger = logging.getLogger(__name__)

_EVERY_S = 1.0


class Usage:
    """Requests by the id of their key. Close it to keep what was counted last."""

    def __init__(self, store: Store, *, every_s: float = _EVERY_S) -> None:
        self._store = store
        self._every_s = every_s
        self._counting = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, key: str) -> None:
        """Count a request."""
        with self._counting:
            self._counts[key] += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="tunesmith-usage", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Put away what is left, and end."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while not self._closing.wait(self._every_s):
            self._put()
        self._put()

    def _put(self) -> None:
        with self._counting:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            self._store.note_use(counts)
        except Exception:
            logger.exception("what keys were used for could not be kept")


class Used:
    """Counts every request that came with a key."""

    def __init__(self, app: ASGIApp, *, usage: Usage) -> None:
        self._app = app
        self._usage = usage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and CALLER.get():
            self._usage.add(CALLER.get())
        await self._app(scope, receive, send)
