"""What a judge says, read strictly: the verdict stands alone in the last line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Choice = Literal["a", "b", "tie"]

_PAIR = re.compile(r"(?:verdict|判定)\s*[:：]\s*(?:(A)|(B)|tie|平局)", re.IGNORECASE)
_SCORE = re.compile(r"(?:score|评分)\s*[:：]\s*(\d{1,3})", re.IGNORECASE)
# What models put around a line of their own accord.
_AROUND = " *_`\"'“”[]【】.。"


def choice(said: str) -> Choice | None:
    """Which of two answers is better; None where the last line is no verdict."""
    found = _PAIR.fullmatch(_last_line(said))
    if found is None:
        return None
    return "a" if found[1] else "b" if found[2] else "tie"


def score(said: str, scale: int) -> int | None:
    """The score from 1 to `scale`; None where the last line is none."""
    found = _SCORE.fullmatch(_last_line(said))
    value = int(found[1]) if found else 0
    return value if 1 <= value <= scale else None


def _last_line(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1].strip(_AROUND).replace("**", "") if lines else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairwise:
    """What was said of a pair in both orders: `ab` with A shown first, `ba` with B; in names, not in places.

    A missing one was not read.
    """

    ab: Choice | None
    ba: Choice | None

    @property
    def choice(self) -> Choice | None:
        """The better answer if both orders agree, a tie if they do not; None where one was not read."""
        if self.ab is None or self.ba is None:
            return None
        return self.ab if self.ab == self.ba else "tie"

    @property
    def is_consistent(self) -> bool:
        """Whether the order made no difference."""
        return self.ab is not None and self.ab == self.ba

    @property
    def firsts(self) -> tuple[int, int]:
        """How often the answer shown first was preferred, and how often one was preferred at all."""
        said = ((self.ab, "a"), (self.ba, "b"))
        return sum(each == first for each, first in said), sum(each in ("a", "b") for each, _ in said)


def swapped(choice: Choice | None) -> Choice | None:
    """A verdict about places as one about names, where B was shown first."""
    if choice is None or choice == "tie":
        return choice
    return "b" if choice == "a" else "a"
