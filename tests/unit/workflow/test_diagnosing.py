"""What a report says beyond scores, on real rows: 3,080 of 77 labels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tunesmith.core import text
from tunesmith.eval import html, metrics, significance
from tunesmith.eval.calibration import cooled
from tunesmith.eval.causes import Taught
from tunesmith.eval.metrics import Figures
from tunesmith.eval.outcome import LabelOutcome, TextOutcome, TokenOutcome
from tunesmith.eval.report import Provenance, Report
from tunesmith.workflow import slicing
from tunesmith.workflow.diagnosing import diagnosed, pace


def empty(figures: Figures) -> Report:
    return Report(
        task="classify", model="tfidf", part="test", rows=len(figures.outcome.rows), scores=figures.scores,
        directions={name: metrics.direction(name) for name in figures.scores},
        intervals=significance.intervals(figures), provenance=Provenance(run="", data="", model=""),
    )  # fmt: skip


@pytest.fixture(scope="module")
def banking(shared_data: Path) -> Report:
    """The whole report of a model that is timid; some of its mistakes came by fax."""
    folder = shared_data / "cls_banking77"
    train, test = (pl.read_csv(folder / f"{part}.csv").with_row_index("_row") for part in ("train", "test"))
    train = train.sample(1500, seed=1)
    labels = tuple(sorted(set(test["category"])))
    targets = np.array([labels.index(label) for label in test["category"]])
    blank = LabelOutcome(
        labels=labels, texts=test["text"].to_list(), targets=targets, predicted=targets,
        probabilities=np.zeros((test.height, len(labels)), dtype=np.float32), rows=np.arange(test.height),
    )  # fmt: skip
    taught = Taught(texts=train["text"].to_list(), labels=train["category"].to_list())
    logits = (
        np.random.default_rng(1).normal(size=blank.probabilities.shape) + 4 * np.eye(len(labels))[targets]
    )
    sure = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    mine = blank.answered(cooled(sure, 2.0))
    second = replace(mine, predicted=targets, probabilities=np.eye(len(labels))[mine.predicted])
    wrong = targets != mine.predicted
    by_fax = {row: "fax" if row % 3 == 0 and is_wrong else "mail" for row, is_wrong in enumerate(wrong)}
    figures = metrics.figures(["accuracy", "macro_f1"], mine)
    report = empty(figures).with_labels(mine, lambda row: ("test.csv", row + 2))
    return diagnosed(
        report, figures, test, validation=mine, second=second, taught=taught, columns={"channel": by_fax}
    )


def test_parts_probabilities_and_causes_are_told(banking: Report) -> None:
    assert banking.slices is not None
    assert banking.calibration is not None
    (worst,) = banking.slices.worst[0].conditions
    assert (worst.column, worst.value) == ("channel", "fax")
    assert {each.conditions[0].column for each in banking.slices.groups} >= {"length", "label", "channel"}
    assert (banking.calibration.temperature or 1) < 0.6
    assert (banking.calibration.scaled_error or 1) < banking.calibration.error / 2
    wrong = round((1 - banking.scores["accuracy"]) * 3080)
    assert sum(each.rows for each in banking.causes) == wrong
    assert {each.kind for each in banking.causes} >= {"label_issue"}


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_the_page_of_77_labels_is_less_than_a_megabyte_and_the_report_is_read_back(
    banking: Report, lang: str, tmp_path: Path
) -> None:
    assert len(html.render(banking, lang).encode()) < 1_000_000
    path = tmp_path / "report.json"
    path.write_text(json.dumps(banking.as_dict()), "utf-8")
    assert Report.load(path).as_dict() == banking.as_dict()


def test_conversations_are_divided_by_length_and_language() -> None:
    said = ("How are you today, my friend?", "你好，请问今天的天气怎么样？")
    talks = [[{"role": "user", "content": said[row % 2]}] for row in range(80)]
    frame = pl.DataFrame({"_row": range(80), "messages": talks})
    nll = np.where(np.arange(80) % 2, 9.0, 1.0) + np.linspace(0, 0.1, 80)
    outcome = TokenOutcome(nll=nll, tokens=np.full(80, 5), rows=range(80))
    found = slicing.search(metrics.figures(["perplexity"], outcome), frame)
    assert found is not None
    assert {each.value for each in found.worst[0].conditions} & {"zh", "≤ 14"}
    assert found.worst[0].value > found.worst[0].rest


def test_numbers_of_a_column_are_cut_into_quarters() -> None:
    values: dict[int, str] = {row: str(row / 10) for row in range(200)}
    right = np.arange(200) >= 50
    outcome = LabelOutcome(
        labels=("a", "b"), texts=["x"] * 200, targets=np.zeros(200, int), predicted=(~right).astype(int),
        probabilities=np.eye(2)[(~right).astype(int)], rows=np.arange(200),
    )  # fmt: skip
    found = slicing.search(metrics.figures(["accuracy"], outcome), pl.DataFrame(), {"price": values})
    assert found is not None
    (worst,) = found.worst[0].conditions
    assert (worst.column, worst.value) == ("price", "≤ 4.9")


def test_what_is_written_is_counted_in_tokens() -> None:
    class Words:
        def encode(self, text: str) -> Any:
            return type("Encoding", (), {"ids": text.split()})

    model = type("Model", (), {"tokenizer": Words()})
    outcome = TextOutcome(sources=["a"], targets=["b"], predicted=["one two three"], rows=[0])
    found = pace(outcome, model, 2.0)
    assert (found.rows, found.tokens, found.seconds) == (1, 3, 2.0)
    assert pace(outcome, None, 2.0).tokens is None
