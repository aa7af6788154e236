"""What one model did since it was served, in numbers that only grow."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field

from tunesmith.serve.recent import Tally, Times

# Upper bounds in seconds; beyond the last everything counts alike.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


@dataclass(slots=True)
class Histogram:
    """How many times were at most so long; `total` is their sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)

    def add(self, seconds: float) -> None:
        """Note one."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def cumulative(self) -> Iterator[tuple[str, int]]:
        """Each upper bound, and how many were at most that long."""
        found = 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self.counts, strict=True):
            found += count
            yield bound, found


@dataclass(slots=True)
class Lately:
    """The same of the last minute: requests, those that failed, tokens written, and times."""

    requests: Tally = field(default_factory=Tally)
    failed: Tally = field(default_factory=Tally)
    new_tokens: Tally = field(default_factory=Tally)
    answered: Times = field(default_factory=Times)
    first_token: Times = field(default_factory=Times)


@dataclass(slots=True)
class Meter:
    """Requests, tokens read and written, and how long people waited for the first."""

    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    new_tokens: int = 0
    first_token: Histogram = field(default_factory=Histogram)
    lately: Lately = field(default_factory=Lately)

    def began(self, seconds: float) -> None:
        """Note that the first token of an answer came after so long."""
        self.first_token.add(seconds)
        self.lately.first_token.add(seconds)

    def wrote(self) -> None:
        """Note a token of an answer."""
        self.new_tokens += 1
        self.lately.new_tokens.add()

    def answered(self, seconds: float, status: int) -> None:
        """Note a request that ended, well or with an error's status."""
        self.requests += 1
        self.lately.requests.add()
        if status >= HTTP_ERROR:
            self.failed += 1
            self.lately.failed.add()
        else:
            self.lately.answered.add(seconds)


HTTP_ERROR = 400
ASKED: ContextVar[list[Meter] | None] = ContextVar("asked", default=None)
"""The meters of the models that the request being handled found."""
