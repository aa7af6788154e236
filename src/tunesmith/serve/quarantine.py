"""Requests that broke the model: one that did so twice is refused without another try."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

from tunesmith.core.errors import TunesmithError, UsageError

_CHANCES = 2
_REMEMBERED = 1024


class UnaskedError(TunesmithError):
    """The model was not asked: this says nothing of the request."""


class Quarantine:
    """Remembers what broke the model, the newest of it. Thread-safe."""

    def __init__(self) -> None:
        self._failures: OrderedDict[bytes, int] = OrderedDict()
        self._changing = threading.Lock()

    def note(self, content: object, *, certain: bool = True) -> None:
        """A request broke the model; if that is not certain, it only loses its first chance.

        Requests are the same when they look the same.
        """
        print_ = _print(content)
        with self._changing:
            known = self._failures.pop(print_, 0)
            self._failures[print_] = known + 1 if certain else max(known, 1)
            while len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)

    def suspects(self, content: object) -> bool:
        """Whether a request may be what broke the model."""
        return bool(self._failures) and _print(content) in self._failures

    def clear(self, content: object) -> None:
        """A request did not break the model."""
        if self._failures:
            with self._changing:
                self._failures.pop(_print(content), None)

    def check(self, content: object) -> None:
        """Refuse a request that had its chances.

        Raises:
            UsageError: S73.
        """
        if self._failures and self._failures.get(_print(content), 0) >= _CHANCES:
            raise UsageError("S73", times=_CHANCES)


def _print(content: object) -> bytes:
    return hashlib.sha256(repr(content).encode()).digest()
