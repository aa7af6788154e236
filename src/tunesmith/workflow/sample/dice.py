"""Chance that is the same on every platform and in every version of Python."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Draws made from `Random.random()` alone, the one sequence that Python promises to keep."""

    def __init__(self, *seed: object) -> None:
        self._draw = random.Random("/".join(map(str, seed))).random  # noqa: S311

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._draw() < probability

    def number(self, below: int) -> int:
        """A whole number from 0 to `below - 1`."""
        return int(self._draw() * below)

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.number(len(items))]

    def shuffled(self, items: Iterable[T]) -> list[T]:
        """The items in a random order."""
        drawn = [(self._draw(), position, item) for position, item in enumerate(items)]
        return [item for *_, item in sorted(drawn, key=lambda entry: entry[:2])]
