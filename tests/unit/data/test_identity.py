"""What makes two rows of a shape the same, and what they must then agree on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith.data import shapes, texts
from tunesmith.data.dedup import Dedup
from tunesmith.data.identity import agreed, allows_near, asked, said
from tunesmith.data.layouts.frames import schema
from tunesmith.data.mapping import mapper
from tunesmith.data.reading import read
from tunesmith.data.sources import find


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
    shapes.ANSWERED: [("Who?", "Ann did.", []), ("who?", "ann did.", [])],
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


def test_judged_answers_to_a_prompt_ask_the_same() -> None:
    def judged(answer: str, good: bool) -> tuple[Any, ...]:
        turns = [
            {"role": role, "content": text, "tool_calls": None, "tool_call_id": None}
            for role, text in (("user", "Hi"), ("assistant", answer))
        ]
        return turns, good, None

    rows = frame(shapes.RATED, judged("Hello", True), judged("Go away", False))
    assert asked(rows).n_unique() == 1
    assert said(rows).n_unique() == 2


def test_negatives_are_part_of_what_is_said_and_cleaned() -> None:
    rows = frame(shapes.CONTRASTED, ("a", "b", "one"), ("a", "b", "two <b>x</b>"))
    assert said(rows).n_unique() == 2
    changed, _ = texts.rewritten(rows, lambda column: column.str.replace_all("<b>x</b>", "", literal=True))
    assert changed["negative"].to_list() == ["one", "two "]


def test_another_answer_to_a_question_makes_another_row() -> None:
    ann, bob = {"text": "Ann", "start": 0}, {"text": "Bob", "start": 8}
    answers = [[ann, bob], [bob, {"text": " ann", "start": 20}, ann], [ann], []]
    told = said(frame(shapes.ANSWERED, *(("Who?", "Ann and Bob, and ann", answer) for answer in answers)))
    assert told[0] == told[1]
    assert told.n_unique() == 3


def test_tags_agree_when_the_same_is_tagged_wherever_spaces_moved_it() -> None:
    def tagged(text: str, *found: tuple[int, int, str]) -> tuple[Any, ...]:
        spans = [{"start": start, "end": end, "label": label} for start, end, label in found]
        return text, spans, None

    rows = [
        tagged("six of\n points", (0, 3, "value"), (8, 14, "unit")),
        tagged("Six of points", (7, 13, "unit"), (0, 3, "value")),
        tagged("six of points", (0, 3, "value"), (7, 13, "value")),
        tagged("six of points"),
        ("six of points", None, None),
    ]
    told = agreed(frame(shapes.TAGGED, *rows))
    assert told is not None
    assert told[0] == told[1]
    assert told.n_unique() == 4
    assert told.is_null().to_list() == [False, False, False, False, True]


def test_real_rows_are_not_taken_for_conflicts(shared_data: Path, tmp_path: Path) -> None:
    for folder, shape in (("slot_snips", shapes.TAGGED), ("qa_xquad", shapes.ANSWERED)):
        cleaner = Dedup(tmp_path / folder)
        rows = [load_rows(path, shape) for path in find(folder, shared_data)]
        cleaner.see(pl.concat(rows).with_row_index("_row").cast({"_row": pl.Int64}))
        assert "conflicting_label" not in cleaner.verdict().dropped
        cleaner.close()


def load_rows(path: Path, shape: str) -> pl.DataFrame:
    table = read(path)
    return mapper(table, shape, {})(table).filter(pl.col("_bad").is_null())


def test_duplicates_must_agree_on_the_answer() -> None:
    labelled = agreed(frame(shapes.LABELLED, ("a", "x"), ("b", None)))
    assert labelled is not None
    assert labelled.to_list() == ["x", None]
    several = agreed(frame(shapes.MULTILABELLED, ("a", ["x", "y"]), ("b", ["y", "x"]), ("c", ["x"])))
    assert several is not None
    assert several[0] == several[1] != several[2]
    assert agreed(frame(shapes.ANSWERED, ("Who?", "Ann did.", []))) is None
    assert agreed(frame(shapes.TEXT, ("a",))) is None
    assert not allows_near(frame(shapes.ANSWERED, ("Who?", "Ann did.", [])))
