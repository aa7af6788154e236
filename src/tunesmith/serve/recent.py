"""What happened in the last minute, for who watches: how often, and how long it took."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

WINDOW_S = 60
# Times beyond these are forgotten early; a minute of a busy server is told by its newest.
_MOST = 4096


class Times:
    """Durations in seconds of the last minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: deque[tuple[float, float]] = deque(maxlen=_MOST)

    def add(self, seconds: float) -> None:
        """Note one that ended now."""
        self._found.append((self._clock(), seconds))

    def quantiles(self, *shares: float) -> list[float] | None:
        """For each share (0 to 1) the smallest time that so many were within; None when there was none."""
        begin = self._clock() - WINDOW_S
        found = sorted(seconds for when, seconds in list(self._found) if when >= begin)
        if not found:
            return None
        return [found[max(0, math.ceil(share * len(found)) - 1)] for share in shares]


class Tally:
    """How many there were in the last minute, kept by the second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: deque[tuple[int, int]] = deque(maxlen=WINDOW_S + 1)

    def add(self, count: int = 1) -> None:
        """Note so many that happened now."""
        second = int(self._clock())
        if self._found and self._found[-1][0] == second:
            count += self._found.pop()[1]
        self._found.append((second, count))

    def total(self) -> int:
        """How many there were."""
        begin = self._clock() - WINDOW_S
        return sum(count for second, count in list(self._found) if second >= begin)
