"""Who may wait: a queue bounded in requests and in their size, between the HTTP loop and a worker thread.

Work that does not fit is refused at once, so that an overloaded server stays quick for what it has accepted.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from tunesmith.core.errors import TunesmithError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one model accepts at a time. `queue_size` is in tokens, for classifiers in characters."""

    batch: int = 16
    queue_requests: int = 64
    queue_size: int = 262_144
    deadline_s: float = 300.0


class Job(Protocol):
    """Work that can wait; `size` is what it will take, in the unit of `Limits.queue_size`."""

    @property
    def size(self) -> int:
        """What this work will take."""


J = TypeVar("J", bound=Job)


class WaitingRoom(Generic[J]):
    """Jobs in the order they came. Thread-safe."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._jobs: deque[J] = deque()
        self._size = 0
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def size(self) -> int:
        """The sum of the sizes of what waits."""
        return self._size

    def put(self, jobs: Sequence[J]) -> None:
        """Let jobs in, all or none; an empty room takes any.

        Raises:
            TunesmithError: S03 when they do not fit, S07 when the room is closed.
        """
        size = sum(job.size for job in jobs)
        with self._changed:
            if self._closed:
                raise TunesmithError("S07")
            many = len(self._jobs) + len(jobs) > self._limits.queue_requests
            large = self._size + size > self._limits.queue_size
            if self._jobs and (many or large):
                raise TunesmithError("S03", waiting=len(self._jobs))
            self._jobs.extend(jobs)
            self._size += size
            self._changed.notify()

    def take(self, count: int, *, wait: bool) -> list[J] | None:
        """Up to `count` jobs; with `wait`, blocks until there is one. None when the room was closed."""
        with self._changed:
            while wait and not self._jobs and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            taken = [self._jobs.popleft() for _ in range(min(count, len(self._jobs)))]
            self._size -= sum(job.size for job in taken)
            return taken

    def discard(self, job: J) -> None:
        """Forget a job, if it is still here."""
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)
                self._size -= job.size

    def close(self) -> list[J]:
        """Let nobody in any more; returns who was waiting."""
        with self._changed:
            left = list(self._jobs)
            self._jobs.clear()
            self._size, self._closed = 0, True
            self._changed.notify_all()
            return left
