"""A report as the small table a terminal shows."""

from __future__ import annotations

from dataclasses import dataclass

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
