from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith.data.hygiene.answers import wrong_answers

_ANSWERS = pl.List(pl.Struct({"text": pl.String, "start": pl.Int64}))


def _frame(*rows: tuple[str, list[tuple[str, int | None]]]) -> pl.DataFrame:
    answers = [[{"text": text, "start": start} for text, start in given] for _, given in rows]
    columns: dict[str, Any] = {
        "_row": range(len(rows)),
        "context": [context for context, _ in rows],
        "answers": pl.Series(answers, dtype=_ANSWERS),
    }
    return pl.DataFrame(columns)


def _squad(path: Path) -> pl.DataFrame:
    rows = [
        (part["context"], [(answer["text"], answer["answer_start"]) for answer in question["answers"]])
        for article in json.loads(path.read_text("utf-8"))["data"]
        for part in article["paragraphs"]
        for question in part["qas"]
    ]
    return _frame(*rows)


CONTEXT = "Dr. Who met J. K. Rowling on 12. Mai. She was in Paris then. Paris is old."


@pytest.mark.parametrize(
    ("text", "start", "kind", "suggested"),
    [
        ("Paris", 49, None, None),
        ("Paris", None, None, None),
        ("Paris", 60, "answer_misplaced", "61"),
        ("Paris", -1, "answer_misplaced", "49"),
        ("London", 3, "answer_absent", None),
        ("in  paris", 46, "answer_absent", "in Paris"),
        ("  ", 0, "answer_empty", None),
        ("Dr. Who met J. K. Rowling on 12. Mai.", 0, None, None),
        ("She was in Paris then. Paris is old.", 38, "answer_long", None),
    ],
)
def test_where_an_answer_should_stand(
    text: str, start: int | None, kind: str | None, suggested: str | None
) -> None:
    found = [(issue.kind, issue.suggested) for issue in wrong_answers(_frame((CONTEXT, [(text, start)])))]
    assert found == ([] if kind is None else [(kind, suggested)])


def test_sentences_of_chinese_need_no_space() -> None:
    issues = wrong_answers(_frame(("他来了。她走了。", [("他来了。她走了。", 0)])))
    assert [(issue.kind, issue.detail) for issue in issues] == [("answer_long", {"sentences": 2})]


def test_what_annotators_answered_alike_is_one_issue_and_no_answer_is_none() -> None:
    assert len(wrong_answers(_frame((CONTEXT, [("London", 1), ("London", 1)])))) == 1
    assert wrong_answers(_frame((CONTEXT, []))) == []


def test_real_answers_that_stand_where_they_say_are_left_alone(shared_data: Path) -> None:
    for language in ("en", "zh"):
        assert wrong_answers(_squad(shared_data / "qa_xquad" / f"xquad.{language}.visible.json")) == []


def test_places_suggested_for_real_answers_are_right(shared_data: Path) -> None:
    frame = _squad(shared_data / "qa_cmrc2018_dev" / "cmrc2018_dev.json")
    moved = [issue for issue in wrong_answers(frame) if issue.kind == "answer_misplaced"]
    assert len(moved) == 4
    for issue in moved:
        assert frame["context"][issue.row].startswith(issue.given, int(issue.suggested or -1))
