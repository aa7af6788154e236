"""Who may wait: a queue bounded in requests and in their size, between the HTTP loop and a worker thread.

Work that does not fit is refused at once, so that an overloaded server stays quick for what it has accepted.
A key that asks for too much stands in nobody's way but its own.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from tunesmith.core.errors import TunesmithError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one model accepts at a time, of each key what may wait.

    `queue_size` is in tokens, for classifiers in characters. `running_size` bounds the tokens, read and to be
    written, of what is computed at once, and so the memory of a language model's past.
    """

    batch: int = 32
    running_size: int = 131_072
    queue_requests: int = 64
    queue_size: int = 262_144
    deadline_s: float = 300.0


class Job(Protocol):
    """Work that can wait; `size` is what it will take, in the unit of `Limits.queue_size`."""

    @property
    def size(self) -> int:
        """What this work will take."""


J = TypeVar("J", bound=Job)

# So many times what one key may let wait is what all keys may together.
_KEYS = 8


class WaitingRoom(Generic[J]):
    """Jobs in the order they came, and in turns where they are of several keys. Thread-safe.

    Turns are fair by size: a key with many or large jobs waits behind itself, not in front of others
    (start-time fair queueing, Goyal et al. 1996).
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._queues: dict[str, deque[tuple[float, J]]] = {}  # of each key, with the moment of their turn
        self._keys: dict[J, str] = {}
        self._sizes: Counter[str] = Counter()
        self._now = 0.0  # the moment of the last turn, in the unit of sizes
        self._ends: dict[str, float] = {}  # when a key's newest job would be done, were all served in turns
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def size(self) -> int:
        """The sum of the sizes of what waits."""
        return self._sizes.total()

    def jobs(self) -> list[J]:
        """All that waits."""
        with self._changed:
            return list(self._keys)

    def put(self, jobs: Sequence[J], key: str = "") -> None:
        """Let jobs of a key in, all or none; any may come when none of its own wait.

        Raises:
            TunesmithError: S03 when the key has no room for them, S72 when nobody has, S07 when the room is
                closed.
        """
        size = sum(job.size for job in jobs)
        with self._changed:
            if self._closed:
                raise TunesmithError("S07")
            mine = len(self._queues.get(key, ()))
            if mine and self._beyond(mine + len(jobs), self._sizes[key] + size, 1):
                raise TunesmithError("S03", waiting=mine)
            if self._keys and self._beyond(len(self) + len(jobs), self.size + size, _KEYS):
                raise TunesmithError("S72", waiting=len(self))
            for job in jobs:
                queue = self._queues.setdefault(key, deque())
                start = max(self._now, self._ends.get(key, 0.0))
                self._ends[key] = start + job.size
                queue.append((start, job))
                self._keys[job] = key
                self._sizes[key] += job.size
            self._changed.notify()

    def _beyond(self, count: int, size: int, times: int) -> bool:
        return count > times * self._limits.queue_requests or size > times * self._limits.queue_size

    def take(self, count: int, *, wait: bool, size: int | None = None) -> list[J] | None:
        """Up to `count` jobs, of at most `size` together; None when the room was closed.

        With `wait`, blocks until there is one, and takes it whatever its size.
        """
        with self._changed:
            while wait and not self._keys and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            taken: list[J] = []
            while self._keys and len(taken) < count:
                key = min(self._queues, key=lambda key: self._queues[key][0][0])
                if size is not None:
                    size -= self._queues[key][0][1].size
                    if size < 0 and (taken or not wait):
                        break
                taken.append(self._next(key))
            return taken

    def _next(self, key: str) -> J:
        """The oldest job of a key."""
        start, job = self._queues[key].popleft()
        self._now = max(self._now, start)
        self._forget(job, key)
        return job

    def _forget(self, job: J, key: str) -> None:
        del self._keys[job]
        self._sizes[key] -= job.size
        if not self._queues[key]:
            del self._queues[key], self._sizes[key]
        if not self._keys:
            self._now, self._ends = 0.0, {}

    def discard(self, job: J) -> None:
        """Forget a job, if it is still here."""
        with self._changed:
            key = self._keys.get(job)
            if key is not None:
                self._queues[key] = deque(entry for entry in self._queues[key] if entry[1] is not job)
                self._forget(job, key)

    def close(self) -> list[J]:
        """Let nobody in any more; returns who was waiting."""
        with self._changed:
            left = list(self._keys)
            self._queues, self._keys, self._closed = {}, {}, True
            self._sizes.clear()
            self._changed.notify_all()
            return left
