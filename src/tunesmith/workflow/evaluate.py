"""A report for any model on any file of rows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.core import durable
from tunesmith.core.recipe import Data
from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace
from tunesmith.data.loading import stop_for
from tunesmith.data.rows import Loaded, load
from tunesmith.eval import html, outcome_file, significance
from tunesmith.eval import metrics as measures
from tunesmith.eval.outcome import Outcome
from tunesmith.eval.report import Provenance, Report
from tunesmith.models import loading
from tunesmith.models.resolve import resolve
from tunesmith.tasks.task import Task
from tunesmith.workflow import judging, measuring
from tunesmith.workflow.settling import task_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluated:
    """A report and what it was made from; `ids` are those of the outcome's ledger rows."""

    report: Report
    outcome: Outcome
    ids: Mapping[int, int]

    def write(self, folder: Path, lang: str) -> None:
        """Put report.json, report.html and outcome.parquet into a folder, as a run has them."""
        run = RunFolder(folder)
        outcome_file.write(run.outcome, self.outcome, self.ids)
        durable.write_json(run.report, self.report.as_dict())
        durable.write_bytes(run.page, html.render(self.report, lang).encode())


def evaluate(
    model: str,
    data: Path,
    workspace: Workspace,
    *,
    task: str | None = None,
    metrics: Sequence[str] = (),
) -> Evaluated:
    """Measure a model on all usable rows of a file; `task` is the model's own unless given.

    Raises:
        NotFoundError: when the model or the file does not exist.
        ModelError: M14 when the model cannot do the task.
        DataError: when the file cannot be used.
    """
    began = time.monotonic()
    resolved = resolve(model, workspace)
    loaded = loading.load(resolved)
    chosen = _chosen(task or _task_of(loaded), data)
    rows = _rows(chosen, data)
    frame = rows.frame
    names = judging.metric_names(chosen, metrics)
    outcome = measuring.outcome_of(chosen, loaded, frame, None)
    figures = measures.figures(names, outcome)
    report = Report(
        task=chosen.name,
        model=model,
        part=data.name,
        rows=frame.height,
        scores=figures.scores,
        intervals=significance.intervals(figures),
        directions={name: measures.direction(name) for name in names},
        provenance=Provenance(run="", data=durable.sha256(data), model=loaded.digest),
        ledger=rows.ledger.summary(),
        seconds=time.monotonic() - began,
    )
    report = judging.with_labels(report, outcome, rows.ledger)
    return Evaluated(report=report, outcome=outcome, ids=rows.ledger.ids(outcome.rows))


def scores_of(model: loading.Model, data: Path) -> dict[str, float]:
    """The metrics of a loaded model's own task on all usable rows of a file.

    Raises:
        NotFoundError, DataError: when the file does not exist or cannot be used.
    """
    task = _chosen(_task_of(model), data)
    outcome = measuring.outcome_of(task, model, _rows(task, data).frame, None)
    return measures.measure(task.metrics, outcome)


def _chosen(name: str, data: Path) -> Task:
    """The task in the form of a file's rows."""
    return task_of(name, Data.model_validate({"source": str(data)}), Path.cwd())


def _rows(task: Task, data: Path) -> Loaded:
    rows = load(Data.model_validate({"source": str(data)}), shape=task.shape, base=Path.cwd())
    stop_for(rows.problems)
    return rows


_TASKS = {"embedder": "embed", "tagger": "tag", "reader": "answer", "scorer": "score", "masked": "mask"}


def _task_of(model: loading.Model) -> str:
    if model.kind in ("classifier", "tfidf", "hosted"):
        return "classify"
    if model.kind in _TASKS:
        return _TASKS[model.kind]
    usual = "translate" if model.kind == "encoder_decoder" else "chat"
    found: str = getattr(model, "task", None) or usual
    return found
