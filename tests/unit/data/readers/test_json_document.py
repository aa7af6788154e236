"""JSON documents: where the rows are, what columns they get, and the place of a mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.errors import DataError
from tunesmith.data.reading import open_file, read


def written(folder: Path, content: Any) -> Path:
    """A file with a JSON document: text as it is, other values encoded."""
    path = folder / "a.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), encoding="utf-8")
    return path


def test_texts_in_an_array_are_rows(tmp_path: Path) -> None:
    table = read(written(tmp_path, ["refund", "card"]))
    assert table.frame.to_dicts() == [{"text": "refund"}, {"text": "card"}]
    assert table.lines == (2, 3)


def test_the_key_that_rows_stand_under_is_kept_when_it_says_something(tmp_path: Path) -> None:
    assert read(written(tmp_path, {"GetWeather": [{"t": 1}]})).frame.rows() == [("GetWeather", 1)]
    assert read(written(tmp_path, {"data": [{"t": 1}]})).frame.columns == ["t"]
    assert read(written(tmp_path, {"GetWeather": [{"key": 1}]})).frame.rows() == [(1,)]


def test_the_only_line_of_a_file_of_lines_is_a_row_with_its_lists(tmp_path: Path) -> None:
    row = {"text": "Anna met Bo", "spans": [{"start": 0, "end": 4, "label": "P"}]}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    found = read(path).frame
    assert (found.columns, found["text"].to_list()) == (["text", "spans"], ["Anna met Bo"])
    path.write_text('{"data": [{"t": 1}, {"t": 2}]}\n', encoding="utf-8")
    assert read(path).frame.rows() == [(1,), (2,)]
    path.write_text('{"version": "1.1", "data": [{"t": 1}, {"t": 2}]}\n', encoding="utf-8")
    assert read(path).frame.rows() == [(1,), (2,)]
    path.write_text('[{"t": 1}, {"t": 2}]\n', encoding="utf-8")
    assert read(path).frame.rows() == [(1,), (2,)]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('[{"a": 1},\n{"a": "\x01"}]', 2),
        ('[{"a": 1}\n{"a": 2}]', 2),
        ('[\n{"a": 1}] [{"a": 2}]', 2),
        ('{"rows": [{"a": 1}],\n"b": }', 2),
        ('[{"a": 1},\n{"a": [1,,]}]', 2),
        ('[{"a": "NaN"},\n{"a": NaN}]', 2),
        ('[{"a": 1},\n{"a": 2}\n', 3),
        ("[1, 2\n", 2),
    ],
)
def test_a_mistake_has_its_line(tmp_path: Path, content: str, line: int) -> None:
    path = written(tmp_path, content)
    for size in (1, 8, 1000):
        with pytest.raises(DataError) as caught:
            list(open_file(path, batch_bytes=size).batches())
        assert [(p.code, p.line) for p in caught.value.problems] == [("D04", line)]


def test_trailing_commas_and_cut_strings_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = written(tmp_path, '[{"a": ", ]", "b": [1, 2,],},\n{"a": "x, }", "b": [3,],},\n]')
    for size in (1, 5, 1000):
        batches = list(open_file(path, batch_bytes=size).batches())
        assert [value for batch in batches for value in batch.values("b")] == [[1, 2], [3]]
        assert [value for batch in batches for value in batch.values("a")] == [", ]", "x, }"]


def test_questions_become_rows_with_their_paragraph(tmp_path: Path) -> None:
    questions = [
        {"id": "1", "question": "who?", "answers": [{"text": "me", "answer_start": 0, "x": 1}]},
        {"id": "2", "question": "why?", "answers": [], "is_impossible": True},
    ]
    article = {"title": "T", "paragraphs": [{"context": "me and you", "qas": questions}]}
    table = read(written(tmp_path, {"version": "v2.0", "data": [article, {"title": "no"}]}), on_error="drop")
    assert table.frame.columns == ["id", "title", "context", "question", "answers", "is_impossible"]
    assert table.values("answers") == [[{"text": "me", "answer_start": 0}], []]
    assert table.values("is_impossible") == [None, True]
    assert table.frame["context"].to_list() == ["me and you"] * 2
    assert [(broken.code, broken.values["kind"]) for broken in table.broken] == [
        ("D13", "article without questions")
    ]


def test_an_object_without_rows_is_a_row(tmp_path: Path) -> None:
    table = read(written(tmp_path, {"messages": [{"role": "user", "content": "hi"}], "n": 10**30}))
    assert table.values("messages") == [[{"role": "user", "content": "hi"}]]
    assert table.values("n") == [10**30]
