"""What each key asks for: counted while requests run, put into the store every few seconds and at the end."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tunesmith.core.errors import TunesmithError
from tunesmith.core.store import Key, Store, Used
from tunesmith.core.store.usage import day_of
from tunesmith.serve import errors

KEY = "tunesmith.key"  # where a request's scope has its key
_DAY_S = 86_400
_FLUSH_S = 1.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Spent:
    """The tokens of one request so far."""

    prompt_tokens: int = 0
    new_tokens: int = 0


SPENT: ContextVar[Spent | None] = ContextVar("spent", default=None)
"""What the request that is being handled has spent, if anybody counts it."""


def spend(*, prompt_tokens: int = 0, new_tokens: int = 0) -> None:
    """The request that is being handled has read or written so many tokens more."""
    if (spent := SPENT.get()) is not None:
        spent.prompt_tokens += prompt_tokens
        spent.new_tokens += new_tokens


class Usage:
    """Today's counts of all keys, in step with the store. Thread-safe; close it to keep the last ones."""

    def __init__(
        self, store: Store, *, clock: Callable[[], float] = time.time, every_s: float = _FLUSH_S
    ) -> None:
        self._store = store
        self._clock = clock
        self._every_s = every_s
        self._changing = threading.Lock()
        self._day = self.day()
        self._stored = store.usage(self._day)  # of today, by all servers
        self._fresh: dict[str, Used] = defaultdict(Used)  # not stored yet
        self._moving: Mapping[str, Used] = {}  # on its way into the store
        self._touched: set[str] = set()  # used for anything, which is not stored yet
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="tunesmith-usage", daemon=True)
        self._thread.start()

    def day(self) -> str:
        """Today."""
        return day_of(self._clock())

    def renewed_in(self) -> int:
        """In how many seconds the next day begins."""
        return math.ceil(_DAY_S - self._clock() % _DAY_S)

    def touch(self, key: Key) -> None:
        """Note that a key was used for something."""
        with self._changing:
            self._touched.add(key.id)

    def begin(self, key: Key) -> None:
        """Count a request of a key.

        Raises:
            TunesmithError: S51 or S52 when its requests or tokens of today are used up.
        """
        with self._changing:
            used = sum((counts.get(key.id, Used()) for counts in self._all()), Used())
            if key.quota_requests is not None and used.requests >= key.quota_requests:
                raise TunesmithError("S51", quota=key.quota_requests, hours=self._hours())
            if key.quota_tokens is not None and used.tokens >= key.quota_tokens:
                raise TunesmithError("S52", quota=key.quota_tokens, hours=self._hours())
            self._fresh[key.id] += Used(requests=1)

    def add(self, key: Key, spent: Spent) -> None:
        """Count what a request has spent."""
        with self._changing:
            self._fresh[key.id] += Used(prompt_tokens=spent.prompt_tokens, new_tokens=spent.new_tokens)

    def flush(self) -> None:
        """Put what is fresh into the store, and learn what other servers counted."""
        with self._changing:
            self._moving, self._fresh = self._fresh, defaultdict(Used)
            touched, self._touched = self._touched, set()
        try:
            if touched:
                self._store.note_use(touched)
            if self._moving:
                self._store.add_usage(self._day, self._moving)
        except BaseException:
            with self._changing:
                for key, used in self._moving.items():
                    self._fresh[key] += used
                self._moving = {}
            raise
        today = self.day()
        stored = self._store.usage(today)
        with self._changing:
            self._day, self._stored, self._moving = today, stored, {}

    def _all(self) -> tuple[Mapping[str, Used], ...]:
        return self._stored, self._moving, self._fresh

    def close(self) -> None:
        """Keep what was counted, and count no more."""
        self._closing.set()
        self._thread.join()
        self._flush()

    def _work(self) -> None:
        while not self._closing.wait(self._every_s):
            self._flush()

    def _flush(self) -> None:
        try:
            self.flush()
        except Exception:
            logger.exception("what keys used could not be stored; it is tried again")

    def _hours(self) -> str:
        minutes = math.ceil(self.renewed_in() / 60)
        return f"{minutes // 60}:{minutes % 60:02d}"


class Metered:
    """Counts what each key asks of models, and refuses those whose quota is used up until the next day."""

    def __init__(self, app: ASGIApp, *, usage: Usage) -> None:
        self._app = app
        self._usage = usage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on and count, or refuse."""
        key = scope.get(KEY)
        if key is not None:
            self._usage.touch(key)
        if key is None or scope["method"] != "POST" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        try:
            self._usage.begin(key)
        except TunesmithError as error:
            refusal = errors.response(error, Headers(scope=scope))
            refusal.headers["Retry-After"] = str(self._usage.renewed_in())
            await refusal(scope, receive, send)
            return
        spent = Spent()
        SPENT.set(spent)
        try:
            await self._app(scope, receive, send)
        finally:
            self._usage.add(key, spent)
