"""What points into a text points at the same words after the text has changed."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import rows, run

from tunesmith.data.clean import map_texts
from tunesmith.data.texts import text_of

SPAN = pl.Struct({"start": pl.Int64, "end": pl.Int64, "label": pl.String})
TOKEN = pl.Struct({"start": pl.Int64, "end": pl.Int64})
ANSWER = pl.Struct({"text": pl.String, "start": pl.Int64})
MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String, "tool_calls": pl.String}))


def tagged(text: str, *surfaces: str, tokens: list[tuple[int, int]] | None = None) -> pl.DataFrame:
    spans = [{"start": text.index(s), "end": text.index(s) + len(s), "label": "X"} for s in surfaces]
    pairs = None if tokens is None else [{"start": a, "end": b} for a, b in tokens]
    return rows(
        text=[text],
        spans=pl.Series([spans], dtype=pl.List(SPAN)),
        tokens=pl.Series([pairs], dtype=pl.List(TOKEN)),
    )


def surfaces(frame: pl.DataFrame, column: str = "spans") -> list[str]:
    row = frame.row(0, named=True)
    return [row["text"][part["start"] : part["end"]] for part in row[column]]


@pytest.mark.parametrize(
    ("cleaner", "text", "marked", "after"),
    [
        ("normalise", "  Ｂｏｂ　ｌｉｖｅｓ  in\u200b 北京。", ["Ｂｏｂ", "北京"], ["Bob", "北京"]),
        ("normalise", "cafe\u0301 in Paris", ["cafe\u0301", "Paris"], ["café", "Paris"]),
        ("strip_html", "<p>Ann &amp; <b>Bob Li</b> met</p>", ["Ann", "Bob Li"], ["Ann", "Bob Li"]),
        ("convert_chinese", "李開復在臺灣大學演講", ["李開復", "臺灣大學"], ["李开复", "台湾大学"]),
        ("mask_pii", "Bob (bob@example.com) and Bo", ["Bob", "bob@example.com", "and Bo"],
         ["Bob", "[EMAIL]", "and Bo"]),
    ],
)  # fmt: skip
def test_spans_move_with_their_text(cleaner: str, text: str, marked: list[str], after: list[str]) -> None:
    assert surfaces(run(cleaner, tagged(text, *marked)).frame) == after


@pytest.mark.parametrize("marked", ["bob", "mail bob@example"])
def test_a_row_whose_span_is_destroyed_goes_and_says_why(marked: str) -> None:
    cleaned = run("mask_pii", tagged("mail bob@example.com now", marked))
    assert cleaned.frame.is_empty()
    assert cleaned.dropped == {0: "span_lost"}


def test_a_span_of_which_nothing_is_left_is_lost() -> None:
    assert run("strip_html", tagged("see <br> here", "<br>")).dropped == {0: "span_lost"}


def test_tokens_move_and_those_masked_together_are_one() -> None:
    frame = tagged("to  bob @ x", tokens=[(0, 2), (4, 7), (8, 9), (10, 11)])
    assert surfaces(run("normalise", frame).frame, "tokens") == ["to", "bob", "@", "x"]
    frame = tagged("to bob@x.org now", tokens=[(0, 2), (3, 6), (6, 7), (7, 12), (13, 16)])
    assert surfaces(run("mask_pii", frame).frame, "tokens") == ["to", "[EMAIL]", "now"]


@given(
    words=st.lists(st.sampled_from(["bob", "李明", "Ａｎｎ", "x1", "é"]), min_size=1, max_size=8),
    gaps=st.lists(st.sampled_from([" ", "  ", "\u3000", " \u200b", "\r\n", "，"]), min_size=8, max_size=8),
    at=st.integers(0, 7),
)
def test_any_word_is_found_again(words: list[str], gaps: list[str], at: int) -> None:
    at = min(at, len(words) - 1)
    text = "".join(word + gap for word, gap in zip(words, gaps, strict=False))
    start = len("".join(word + gap for word, gap in zip(words[:at], gaps, strict=False)))
    span = [{"start": start, "end": start + len(words[at]), "label": "X"}]
    frame = rows(text=[text], spans=pl.Series([span], dtype=pl.List(SPAN)))
    assert surfaces(run("normalise", frame).frame) == [words[at].replace("Ａｎｎ", "Ann")]


def answered(context: str, *answers: str, start: int | None = None) -> pl.DataFrame:
    known = [{"text": a, "start": context.index(a) if start is None else start} for a in answers]
    return rows(question=["Ｗｈｏ？"], context=[context], answers=pl.Series([known], dtype=pl.List(ANSWER)))


def test_answers_move_and_say_what_the_context_says() -> None:
    after = run("normalise", answered("  Ａｎｎ　Lee  met Bo", "Ａｎｎ　Lee", "Bo")).frame.row(0, named=True)
    assert after["question"] == "Who？"
    assert after["answers"] == [{"text": "Ann Lee", "start": 0}, {"text": "Bo", "start": 12}]


def test_an_answer_that_never_matched_is_changed_by_itself() -> None:
    after = run("normalise", answered("Ａ  b", "Ｃ", start=3)).frame.row(0, named=True)
    assert after["answers"] == [{"text": "C", "start": 2}]


def test_every_answer_of_real_questions_is_still_in_its_place(shared_data: Path) -> None:
    document = json.loads(next((shared_data / "qa_cmrc2018_dev").glob("*.json")).read_text("utf-8"))
    passages = [p for article in document["data"][:60] for p in article["paragraphs"]]
    pairs = [(p["context"], q) for p in passages for q in p["qas"]]
    frame = rows(
        question=[q["question"] for _, q in pairs],
        context=[context for context, _ in pairs],
        answers=pl.Series(
            [[{"text": a["text"], "start": a["answer_start"]} for a in q["answers"]] for _, q in pairs],
            dtype=pl.List(ANSWER),
        ),
    )
    after = run("convert_chinese", run("normalise", frame).frame, to="traditional").frame
    assert after.height == frame.height
    matched = total = 0
    for old, new in zip(frame.iter_rows(named=True), after.iter_rows(named=True), strict=True):
        for was, now in zip(old["answers"], new["answers"], strict=True):
            if old["context"][was["start"] : was["start"] + len(was["text"])] == was["text"]:
                total += 1
                matched += new["context"][now["start"] : now["start"] + len(now["text"])] == now["text"]
    assert matched == total > 50


def test_all_texts_of_all_shapes_change_and_nothing_else_does() -> None:
    talk = [{"role": "user", "content": "q", "tool_calls": None},
            {"role": "assistant", "content": None, "tool_calls": '{"a": "b"}'}]  # fmt: skip
    frame = rows(
        prompt=pl.Series([talk, [], None], dtype=MESSAGES),
        chosen=pl.Series([talk[:1], talk[:1], talk[:1]], dtype=MESSAGES),
        source=["s", None, "s"],
        label=["l", "l", "l"],
        tools=['["t"]'] * 3,
    )
    after = map_texts(frame, lambda texts: texts.str.to_uppercase())
    assert after.schema == frame.schema
    assert after["prompt"].to_list() == [[{**talk[0], "content": "Q"}, talk[1]], [], None]
    assert after["source"].to_list() == ["S", None, "S"]
    assert after.select("label", "tools").equals(frame.select("label", "tools"))
    assert text_of(after).to_list() == ["S\nQ\nQ", "\nQ", "S\nQ"]
