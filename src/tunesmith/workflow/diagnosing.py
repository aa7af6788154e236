"""What a report says beyond scores: parts that fare worse, calibration, causes of mistakes, pace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tunesmith.eval import calibration, causes, thresholds
from tunesmith.eval.metrics import Figures
from tunesmith.eval.outcome import LabelOutcome, LabelsOutcome, Outcome, TextOutcome
from tunesmith.eval.report import Pace, Report
from tunesmith.workflow import slicing

if TYPE_CHECKING:
    import polars as pl


def diagnosed(
    report: Report,
    figures: Figures,
    frame: pl.DataFrame,
    *,
    model: Any = None,
    validation: Outcome | None = None,
    taught: causes.Taught = causes.Taught(),  # noqa: B008 - it is frozen
    second: Outcome | None = None,
    columns: slicing.Read = slicing.NOTHING,
) -> Report:
    """The report with all that can be said of its outcome.

    `validation` is what the same model says of other rows, `taught` what it learned from, where they are
    known, `second` what an independent model says of the rows; `columns` are those of the files by which
    rows are divided too.
    """
    outcome = figures.outcome
    report = replace(report, slices=slicing.search(figures, frame, columns))
    if isinstance(outcome, LabelsOutcome) and isinstance(validation, LabelsOutcome):
        return replace(report, thresholds=thresholds.thresholds(outcome, validation))
    if not isinstance(outcome, LabelOutcome):
        return report
    other = validation if isinstance(validation, LabelOutcome) else None
    return replace(
        report,
        calibration=calibration.calibration(outcome, other),
        causes=causes.causes(outcome, taught, second=_other(outcome, second), truncated=_cut(model)),
    )


def _other(outcome: LabelOutcome, second: Outcome | None) -> LabelOutcome | None:
    """Another model's answers; not those of the same model once more."""
    if not isinstance(second, LabelOutcome) or (second.predicted == outcome.predicted).all():
        return None
    return second


def _cut(model: Any) -> Callable[[str], int] | None:
    """How many tokens of a text a model does not see, if it cuts texts."""
    context, tokenizer = getattr(model, "context", None), getattr(model, "tokenizer", None)
    if context is None or tokenizer is None:
        return None
    return lambda text: max(0, len(tokenizer.encode(text).ids) - context)


def pace(outcome: Outcome, model: Any, seconds: float) -> Pace:
    """How fast a model was, reading and writing."""
    tokenizer = getattr(model, "tokenizer", None)
    tokens = None
    if isinstance(outcome, TextOutcome) and tokenizer is not None:
        tokens = sum(len(tokenizer.encode(text).ids) for text in outcome.predicted)
    return Pace(rows=len(outcome.rows), seconds=seconds, tokens=tokens)
