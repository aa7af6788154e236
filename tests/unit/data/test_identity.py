"""What makes two rows of a shape the same, and what they must then agree on."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tunesmith.data import shapes
from tunesmith.data.identity import agreed, allows_near, asked, said
from tunesmith.data.layouts.frames import schema


def frame(shape: str, *rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=schema(shape), orient="row")


def turn(role: str, content: str, calls: str | None = None) -> dict[str, Any]:
    return {"role": role, "content": content, "tool_calls": calls}


HI, HELLO = [turn("user", "Hi")], [turn("user", "Hi"), turn("assistant", "Hello")]
SAME = {
    shapes.TEXT: [("A b",), (" a  B ",)],
    shapes.LABELLED: [("Ａ b", "x"), ("a b", "y")],
    shapes.MESSAGES: [(HELLO, None), ([turn("user", "hi "), turn("assistant", "HELLO")], None)],
    shapes.PREFERRED: [(HI, HELLO[1:], [turn("assistant", "No")], None)] * 2,
    shapes.ANSWERED: [("Who?", "Ann did.", []), ("who?", "ann did.", [{"text": "Ann", "start": 0}])],
    shapes.PAIRED: [("Hi", "嗨"), ("hi", "嗨")],
}
OTHER = {
    shapes.TEXT: ("a c",),
    shapes.LABELLED: ("a bc", "x"),
    shapes.MESSAGES: ([turn("user", "Hi"), turn("assistant", "", '[{"name": "f"}]')], None),
    shapes.PREFERRED: (HI, HELLO[1:], [turn("assistant", "Yes")], None),
    shapes.ANSWERED: ("When?", "Ann did.", []),
    shapes.PAIRED: ("Hi", "你好"),
}


@pytest.mark.parametrize("shape", SAME)
def test_rows_are_the_same_but_for_case_width_and_spaces(shape: str) -> None:
    one, other, third = said(frame(shape, *SAME[shape], OTHER[shape]))
    assert one == other != third


def test_what_is_asked_leaves_the_answer_out() -> None:
    answered = frame(shapes.ANSWERED, ("Who?", "Ann did.", []), ("When?", "Ann did.", []))
    paired = frame(shapes.PAIRED, ("Hi", "嗨"), ("Hi", "你好"))
    preferred = frame(shapes.PREFERRED, SAME[shapes.PREFERRED][0], OTHER[shapes.PREFERRED])
    for rows in (answered, paired, preferred):
        assert asked(rows).n_unique() == 1
        assert said(rows).n_unique() == 2


def test_duplicates_must_agree_on_the_answer() -> None:
    labelled = agreed(frame(shapes.LABELLED, ("a", "x"), ("b", None)))
    assert labelled is not None
    assert labelled.to_list() == ["x", None]
    several = agreed(frame(shapes.MULTILABELLED, ("a", ["x", "y"]), ("b", ["y", "x"]), ("c", ["x"])))
    assert several is not None
    assert several[0] == several[1] != several[2]
    assert agreed(frame(shapes.TEXT, ("a",))) is None
    assert not allows_near(frame(shapes.ANSWERED, ("Who?", "Ann did.", [])))
