"""What follows is guessed from where the last tokens stood before, as long as that is worth it."""

from __future__ import annotations

from tunesmith.models.lookup import Lookup


def test_it_guesses_what_followed_last_time() -> None:
    lookup = Lookup([1, 2, 3, 4, 5, 6, 7, 1, 2])
    assert lookup.guess(8) == []
    lookup.say(3)
    assert lookup.guess(8) == [4, 5, 6]
    assert lookup.guess(2) == [4, 5]
    assert lookup.guess(0) == []
    lookup.say(9)
    assert lookup.guess(8) == []


def test_who_guesses_wrong_is_silent_for_a_while() -> None:
    lookup = Lookup([1, 2, 3] * 4)
    for _ in range(12):
        lookup.learn(3, 0)
    assert lookup.guess(3) == []
    for token in (1, 2, 3) * 12:
        lookup.say(token)
    assert lookup.guess(3) == [1, 2, 3]
    lookup.learn(3, 3)
    assert lookup.guess(3) == [1, 2, 3]
