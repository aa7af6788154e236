"""A report as the little that a terminal shows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tunesmith.eval.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreTable:
    """The model's row first, then its baselines; a value is None where nothing was measured."""

    metrics: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]


def score_table(report: Report) -> ScoreTable:
    """Scores of the model and of everything it is compared with."""
    metrics = tuple(report.scores)
    named = [(report.model, report.scores), *report.baselines.items()]
    rows = tuple((name, tuple(scores.get(metric) for metric in metrics)) for name, scores in named)
    return ScoreTable(metrics=metrics, rows=rows)


def diagnosis(report: Report) -> dict[str, Any]:
    """What a result says beyond scores: parts that are worse, calibration, causes of mistakes, pace."""
    known = report.calibration
    return {
        "slices": [asdict(each) for each in report.slices.worst] if report.slices else [],
        "calibration": known and {
            "error": known.error, "temperature": known.temperature, "scaled_error": known.scaled_error,
        },
        "causes": {each.kind: each.rows for each in report.causes},
        "pace": report.pace and asdict(report.pace),
    }  # fmt: skip
