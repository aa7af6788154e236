"""The table of scores for a terminal."""

from __future__ import annotations

from dataclasses import replace

from tunesmith.eval.report import Report
from tunesmith.eval.summary import score_table


def test_the_model_comes_first_and_what_was_not_measured_is_empty(report: Report) -> None:
    table = score_table(report)
    assert table.metrics == ("accuracy", "macro_f1")
    assert table.rows == (
        ("minilm", (0.6, 0.575)),
        ("majority", (0.4, 0.19)),
        ("tfidf", (0.5, None)),
    )


def test_a_model_called_like_its_baseline_keeps_its_row(report: Report) -> None:
    names = [name for name, _ in score_table(replace(report, model="tfidf")).rows]
    assert names == ["tfidf", "majority", "tfidf"]
