"""Turns in the forms in which files hold them."""

from __future__ import annotations

import pytest

from tunesmith.data.conversation import Tags, turns_of

SAID = "<think>\nFour.\n</think>\n\n4"


@pytest.mark.parametrize(
    ("turn", "content"),
    [
        ({"content": "4", "reasoning_content": "Four."}, SAID),
        ({"content": "4", "thinking": "\nFour.\n"}, SAID),
        ({"content": SAID, "reasoning": "Four."}, SAID),
        ({"content": "4", "reasoning_content": None}, "4"),
        ({"content": "4", "reasoning_content": ""}, "4"),
    ],
)
def test_thoughts_beside_an_answer_are_put_before_it(turn: dict[str, object], content: str) -> None:
    (found,) = turns_of([{"role": "assistant", **turn}], Tags())
    assert found["content"] == content


def test_what_others_think_is_not_taken_for_thoughts() -> None:
    (found,) = turns_of([{"role": "user", "content": "Hi", "reasoning": "r"}], Tags())
    assert found["content"] == "Hi"
