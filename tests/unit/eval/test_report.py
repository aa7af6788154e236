"""A report is the same after it was written and read."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.core import durable
from tunesmith.core.errors import DataError, NotFoundError
from tunesmith.eval.report import Report


def test_it_is_the_same_after_writing_and_reading(report: Report, tmp_path: Path) -> None:
    durable.write_json(tmp_path / "report.json", report.as_dict())
    assert Report.load(tmp_path / "report.json") == report


def test_numbers_that_json_does_not_have_survive(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    odd = replace(report, scores={"perplexity": math.inf, "accuracy": math.nan})
    durable.write_json(path, odd.as_dict())

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is not JSON")

    json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    scores = Report.load(path).scores
    assert scores["perplexity"] == math.inf
    assert math.isnan(scores["accuracy"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        Report.load(tmp_path / "none.json")


@pytest.mark.parametrize("content", ["", "[]", '{"format": 2}', '{"scores": 3}', "\x00"])
def test_a_file_that_is_no_report_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="not a report") as caught:
        Report.load(path)
    assert caught.value.problems[0].code == "E06"
