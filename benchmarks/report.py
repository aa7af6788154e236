"""How long a report takes once the model has answered: banking77, 3,080 rows of 77 labels.

    python benchmarks/report.py [--shared ../shared/data] [--html report.html] [--lang en] [--json]

The answers are those of the TF-IDF model and of one that learned from a tenth of the rows, which stands for
another model beside it. Timed are figures, intervals, tests, slices, calibration, causes and the page, from
answers in memory to the page's bytes. Printed is one JSON object, seconds and bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from preparation import clock

from tunesmith.eval import baselines, html, metrics, significance
from tunesmith.eval.causes import Taught
from tunesmith.eval.outcome import LabelOutcome
from tunesmith.eval.report import Provenance, Report
from tunesmith.workflow.diagnosing import diagnosed

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("TUNESMITH_SHARED_DATA", HERE.parents[1] / "shared" / "data"))
METRICS = ("accuracy", "macro_f1")


def main() -> None:
    """Make the report and say how long it took."""
    arguments = _arguments()
    train, test = (_rows(arguments.shared / "cls_banking77" / f"{part}.csv") for part in ("train", "test"))
    blank = _blank(train, test)
    mine = _answered(train, blank)
    other = _answered(train.sample(fraction=0.1, seed=0), blank)
    seconds: dict[str, float] = {}
    began = time.perf_counter()
    report = _report(train, test, mine, other, seconds)
    with _timed(seconds, "page"):
        page = html.render(report, arguments.lang).encode()
    seconds["all"] = time.perf_counter() - began
    if arguments.html:
        arguments.html.write_bytes(page)
    ours = {"seconds": {name: round(value, 2) for name, value in seconds.items()}, "page_bytes": len(page)}
    print(json.dumps({"machine": clock.machine(), "rows": test.height, "ours": ours}, indent=2))


def _report(
    train: pl.DataFrame,
    test: pl.DataFrame,
    mine: LabelOutcome,
    other: LabelOutcome,
    seconds: dict[str, float],
) -> Report:
    with _timed(seconds, "figures"):
        figures, beside = (metrics.figures(METRICS, outcome) for outcome in (mine, other))
        pairs = significance.paired(figures, beside)
        report = Report(
            task="classify", model="tfidf", part="test", rows=test.height, scores=figures.scores,
            directions={name: metrics.direction(name) for name in METRICS},
            provenance=Provenance(run="", data="", model=""),
            intervals=significance.intervals(figures), baselines={"tenth": beside.scores},
            differences=tuple(significance.differences("tenth", pairs)),
        )  # fmt: skip
        report = report.with_labels(mine, lambda row: ("test.csv", row + 2))
    taught = Taught(texts=train["text"].to_list(), labels=train["category"].to_list())
    with _timed(seconds, "diagnosis"):
        # The test part stands for the validation part too: only the time matters here.
        report = diagnosed(report, figures, test, validation=mine, taught=taught, second=other)
    return replace(report, ledger={})


def _rows(path: Path) -> pl.DataFrame:
    return pl.read_csv(path).with_row_index("_row")


def _blank(train: pl.DataFrame, test: pl.DataFrame) -> LabelOutcome:
    labels = tuple(sorted({*train["category"], *test["category"]}))
    place = {label: i for i, label in enumerate(labels)}
    targets = np.array([place[label] for label in test["category"]])
    nothing = np.zeros((test.height, len(labels)), dtype=np.float32)
    return LabelOutcome(
        labels=labels, texts=test["text"].to_list(), targets=targets, predicted=targets,
        probabilities=nothing, rows=np.arange(test.height),
    )  # fmt: skip


def _answered(train: pl.DataFrame, blank: LabelOutcome) -> LabelOutcome:
    taught = train["text"].to_list(), train["category"].to_list()
    return baselines.run(["tfidf"], *taught, blank)["tfidf"]


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - began


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--html", type=Path)
    parser.add_argument("--lang", default="en")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
