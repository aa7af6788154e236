"""Guesses of what a sequence says next: what followed when its last tokens stood there before.

Texts that are summarised, corrected or quoted come again in the answer: several tokens can be computed at
once and held to what is really chosen (prompt lookup; Saxena 2023). A guess changes no token.
"""

from __future__ import annotations

from collections.abc import Sequence

_KNOWN = 3  # tokens that have to stand there before
_MOST = 3  # tokens of a guess: as many rows as cost little more than one
_WORTH = 0.15  # of guesses that are right; four rows take a quarter longer than one (benchmarks/serving.py)
_NEWEST, _HOPE = 0.2, 0.01  # weight of the newest guess, and what is forgotten of wrong ones with each token


class Lookup:
    """The tokens of one sequence, and where they stand."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids: list[int] = []
        self._behind: dict[tuple[int, ...], int] = {}  # where it goes on behind so many tokens
        self._right = 1.0
        for token in ids:
            self.say(token)

    def say(self, token: int) -> None:
        """It goes on with this token."""
        if len(self._ids) >= _KNOWN:
            self._behind[tuple(self._ids[-_KNOWN:])] = len(self._ids)
        self._ids.append(token)
        self._right += (1 - self._right) * _HOPE

    def guess(self, most: int) -> list[int]:
        """Up to `most` tokens that may follow; none when nothing is known, or too many guesses were wrong."""
        place = self._behind.get(tuple(self._ids[-_KNOWN:]))
        if place is None or self._right < _WORTH:
            return []
        return self._ids[place : place + min(most, _MOST)]

    def learn(self, guessed: int, right: int) -> None:
        """So many of a guess were right."""
        self._right += (right / guessed - self._right) * _NEWEST
