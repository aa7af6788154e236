from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import get_args

import polars as pl
import pytest

from tunesmith.core import text
from tunesmith.core.errors import DataError
from tunesmith.data.hygiene.issue import Issue, Kind
from tunesmith.data.issues import find, write

SPANS = pl.List(pl.Struct({"start": pl.Int64, "end": pl.Int64, "label": pl.String}))
LABELLED = pl.DataFrame(
    {
        "_row": range(100, 140),
        "text": [f"{what} number {n}" for n in range(20) for what in ("sweet red apple", "fast blue car")],
        "label": ["car", "car", *["fruit", "car"] * 19],
    }
)


def test_issues_of_labels_name_the_ledger_row_and_the_surest_comes_first() -> None:
    issues = find(LABELLED, "labelled")
    assert [(i.row, i.kind, i.given, i.suggested) for i in issues] == [(100, "wrong_label", "car", "fruit")]
    assert find(LABELLED, "labelled") == issues


def test_rows_without_numbers_are_named_by_their_place() -> None:
    assert [issue.row for issue in find(LABELLED.drop("_row"), "labelled")] == [0]


def test_shapes_have_their_own_checks_and_some_have_none() -> None:
    rows = [("Rome is", [{"start": 0, "end": 4, "label": "LOC"}])] * 9
    rows += [("Rome was", []), ("Rome ", [{"start": 0, "end": 5, "label": "LOC"}])]
    frame = pl.DataFrame(rows, schema={"text": pl.String, "spans": SPANS}, orient="row")
    frame = frame.with_columns(tokens=pl.lit(None, pl.List(pl.Struct({"start": pl.Int64, "end": pl.Int64}))))
    assert [issue.kind for issue in find(frame, "tagged")] == ["tag_edges", "tag_untagged"]
    assert find(pl.DataFrame({"text": ["a"]}), "text") == []


def test_both_formats_hold_every_issue_with_its_place(tmp_path: Path) -> None:
    issues = [
        Issue(row=3, kind="tag_edges", score=0.6, given="年）", suggested="年", detail={"start": 1}),
        Issue(row=9, kind="answer_empty", score=1 / 3, given='a "b"\n,c'),
    ]
    places = {3: ("a.conll", 17)}
    write(issues, tmp_path / "issues.jsonl", places=places)
    write(issues, tmp_path / "issues.csv", places=places)
    lines = [json.loads(line) for line in (tmp_path / "issues.jsonl").read_text("utf-8").splitlines()]
    assert lines[0] == {
        "row": 3, "file": "a.conll", "line": 17, "kind": "tag_edges", "score": 0.6,
        "given": "年）", "suggested": "年", "detail": {"start": 1},
    }  # fmt: skip
    assert (lines[1]["file"], lines[1]["score"]) == (None, 0.3333)
    with (tmp_path / "issues.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["line"], row["given"]) for row in rows] == [
        ("3", "17", "年）"),
        ("9", "", 'a "b"\n,c'),
    ]


def test_a_label_is_not_run_as_a_formula_where_people_open_the_list(tmp_path: Path) -> None:
    issues = [Issue(row=3, kind="label_variant", score=0.5, given="=1+1", suggested="@SUM(A1)")]
    write(issues, tmp_path / "issues.csv", places={3: ("-a.csv", 17)})
    with (tmp_path / "issues.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["given"], row["suggested"], row["file"]) == ("'=1+1", "'@SUM(A1)", "'-a.csv")
    assert (row["row"], row["score"]) == ("3", "0.5")


def test_an_unknown_ending_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="D73"):
        write([], tmp_path / "issues.xlsx")


@pytest.mark.parametrize("lang", text.LANGUAGES)
@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_has_a_sentence(kind: str, lang: str) -> None:
    assert text.say(f"data.issue_{kind}", lang)
