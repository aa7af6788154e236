"""Time that work takes: by the clock, and of the processor, which other programs hardly change."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the clock, and seconds of all threads of this process together."""

    seconds: float = 0.0
    cpu: float = 0.0

    @classmethod
    def now(cls) -> Spent:
        """Where both clocks stand; what lies between two such is what was spent."""
        return cls(time.monotonic(), time.process_time())

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.seconds + other.seconds, self.cpu + other.cpu)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.seconds - other.seconds, self.cpu - other.cpu)

    def __mul__(self, times: float) -> Spent:
        return Spent(self.seconds * times, self.cpu * times)


class Laps:
    """What each piece of work took, one after the other."""

    def __init__(self) -> None:
        self._last = Spent.now()

    def lap(self) -> Spent:
        """What was spent since the last time."""
        before, self._last = self._last, Spent.now()
        return self._last - before
