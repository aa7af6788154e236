"""How fast one key may ask: so many requests a minute, so many at once. Both are counted in this process."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tunesmith.core.errors import TunesmithError
from tunesmith.serve import errors
from tunesmith.serve.caller import CALLER

_MOST_KEYS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Requests a minute, and at once; None: as many as come. Where no keys are asked for, of all together."""

    per_minute: int | None = None
    at_once: int | None = None


class Paced:
    """Refuses requests that ask a model for something when their key asks too fast.

    The minute's requests are a bucket that fills evenly (token bucket): no burst comes when a minute begins.
    """

    def __init__(self, app: ASGIApp, *, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._pace = pace
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # of each key: requests left, and when
        self._running: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse."""
        asks = scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith("/v1/")
        if not asks:
            await self._app(scope, receive, send)
            return
        key = CALLER.get()
        wait = self._wait(key)
        if wait:
            refusal = errors.response(TunesmithError("S75", seconds=wait), Headers(scope=scope))
            refusal.headers["Retry-After"] = str(wait)
            await refusal(scope, receive, send)
            return
        self._running[key] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]

    def _wait(self, key: str) -> int:
        """After how many seconds a request may come; 0: now, and it is counted."""
        if self._pace.at_once is not None and self._running[key] >= self._pace.at_once:
            return 1
        if self._pace.per_minute is None:
            return 0
        now, full = self._clock(), float(self._pace.per_minute)
        left, then = self._left.pop(key, (full, now))
        left = min(full, left + (now - then) * full / 60)
        self._left[key] = (left - 1 if left >= 1 else left, now)
        while len(self._left) > _MOST_KEYS:
            del self._left[next(iter(self._left))]
        return 0 if left >= 1 else math.ceil((1 - left) * 60 / full)
