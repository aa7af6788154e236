"""A report for any model on any file of rows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from tunesmith.core import durable, own_code
from tunesmith.core.events import Answer
from tunesmith.core.recipe import Data
from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace
from tunesmith.data.columns import read as read_columns
from tunesmith.data.loading import stop_for
from tunesmith.data.rows import Loaded, load
from tunesmith.eval import choice, html, outcome_file, significance
from tunesmith.eval import metrics as measures
from tunesmith.eval.classes import clip
from tunesmith.eval.outcome import Outcome, TextOutcome
from tunesmith.eval.report import Provenance, Report
from tunesmith.models import card, loading
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import Resolved, resolve
from tunesmith.tasks.task import Task
from tunesmith.workflow import adopting, crossing, diagnosing, judging, measuring, served, spoken, unpacking
from tunesmith.workflow.settling import task_of

if TYPE_CHECKING:
    import polars as pl

Subject: TypeAlias = "loading.Model | served.Served | None"
UNTAUGHT = "tfidf"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluated:
    """A report and what it was made from; `ids` are those of the outcome's ledger rows."""

    report: Report
    outcome: Outcome
    ids: Mapping[int, int]

    def write(self, folder: Path, lang: str) -> None:
        """Put report.json, report.html and outcome.parquet into a folder, as a run has them."""
        outcome_file.write(RunFolder(folder).outcome, self.outcome, self.ids)
        write_report(self.report, folder, lang)


def write_report(report: Report, folder: Path, lang: str) -> None:
    """Put report.json and report.html into a folder."""
    run = RunFolder(folder)
    durable.write_json(run.report, report.as_dict())
    durable.write_bytes(run.page, html.render(report, lang).encode())


def evaluate(
    model: str,
    data: Path,
    workspace: Workspace,
    *,
    task: str | None = None,
    metrics: Sequence[str] = (),
    slices: Sequence[str] = (),
) -> Evaluated:
    """Measure a model on all usable rows of a file; `task` is the model's own unless given.

    `slices` are columns of the file by which the rows are divided, beside length, language and labels.

    Raises:
        NotFoundError: when the model or the file does not exist.
        ModelError: M14 when the model cannot do the task.
        DataError: when the file cannot be used.
    """
    began = time.monotonic()
    subject = found(model, workspace)
    chosen = _chosen(task or _task_of(subject), data)
    given = Data.model_validate({"source": str(data)})
    rows = _rows(chosen, data)
    frame = rows.frame
    columns = read_columns(given, slices, frame["_row"].to_list(), shape=chosen.shape, base=Path.cwd())
    asked = time.monotonic()
    outcome = _outcome(chosen, subject, frame, metrics)
    # Linear models have learned, too, in that time.
    pace = None if subject is None else diagnosing.pace(outcome, subject, time.monotonic() - asked)
    names = _names(chosen, outcome, [_known(name) for name in metrics])
    figures = measures.figures(names, outcome)
    report = Report(
        task=chosen.name,
        model=model,
        part=data.name,
        rows=frame.height,
        scores=figures.scores,
        intervals=significance.intervals(figures),
        directions={name: measures.direction(name) for name in names},
        provenance=Provenance(run="", data=durable.sha256(data), model=subject.digest if subject else ""),
        ledger=rows.ledger.summary(),
        pace=pace,
    )
    report = judging.with_labels(report, outcome, rows.ledger)
    report = diagnosing.diagnosed(report, figures, frame, model=subject, columns=columns)
    if samples := _samples(subject, outcome, frame):
        report = replace(report, samples=samples)
    report = replace(report, seconds=time.monotonic() - began)
    return Evaluated(report=report, outcome=outcome, ids=rows.ledger.ids(outcome.rows))


def found(name: str, workspace: Workspace) -> Subject:
    """Who is measured: a model by any of its names, a GGUF file, an address; None for `tfidf`.

    Raises:
        NotFoundError: M01 when there is none of this name.
        ModelError: when it cannot be used.
    """
    if served.is_address(name):
        return served.find(name, workspace)
    if unpacking.is_gguf(Path(name)):
        folder = unpacking.unpacked(Path(name), workspace)
        return loading.load(Resolved(name=Path(name).stem, folder=folder))
    resolved = resolve(name, workspace)
    if resolved.name == UNTAUGHT and resolved.folder is None:
        return None
    return loading.load(_with_base(resolved, workspace))


def _with_base(resolved: Resolved, workspace: Workspace) -> Resolved:
    """An adapter of another tool, which only names its base, as one of ours, which knows it."""
    folder = resolved.folder
    if folder is None or not adopting.is_adapter(folder) or (folder / card.FILE).exists():
        return resolved
    return replace(resolved, folder=adopting.adopted(folder, workspace, None))


def _outcome(task: Task, subject: Subject, frame: pl.DataFrame, named: Sequence[str]) -> Outcome:
    """What is asked for decides how a chat model is measured: by likelihoods, or by what it writes."""
    if subject is None:
        return crossing.outcome(task, frame)
    if isinstance(subject, LanguageModel) and task.shape == "messages" and set(named) & set(choice.TEXTS):
        return spoken.answers(subject, frame)
    if isinstance(subject, served.Served):
        return served.outcome(task, subject, frame)
    return measuring.outcome_of(task, subject, frame, None)


def _names(task: Task, outcome: Outcome, more: Sequence[str]) -> list[str]:
    """The metrics of the task; those of texts where a model tells no likelihoods."""
    is_spoken = isinstance(outcome, TextOutcome) and task.name not in measuring.WRITTEN
    return list(dict.fromkeys([*(spoken.METRICS if is_spoken else task.metrics), *more]))


def _samples(subject: Subject, outcome: Outcome, frame: pl.DataFrame) -> tuple[Answer, ...]:
    """What a model that writes wrote, or writes to the first questions."""
    if isinstance(outcome, TextOutcome):
        shown = range(min(measuring.SAMPLES, len(outcome.rows)))
        said = [(outcome.sources[i], outcome.predicted[i], outcome.targets[i]) for i in shown]
        return tuple(Answer(prompt=clip(p), answer=clip(a), expected=clip(e)) for p, a, e in said)
    if isinstance(subject, LanguageModel):
        return tuple(Answer(**each) for each in measuring.samples(subject, frame, seed=0))
    return ()


def scores_of(model: loading.Model, data: Path) -> dict[str, float]:
    """The metrics of a loaded model's own task on all usable rows of a file.

    Raises:
        NotFoundError, DataError: when the file does not exist or cannot be used.
    """
    task = _chosen(_task_of(model), data)
    outcome = measuring.outcome_of(task, model, _rows(task, data).frame, None)
    return measures.measure(task.metrics, outcome)


def _known(metric: str) -> str:
    """The name of a metric; code of the user's own is loaded, its file named from the current folder."""
    if ":" not in metric:
        return metric
    own_code.load(metric, Path.cwd())
    return own_code.reference(metric)


def _chosen(name: str, data: Path) -> Task:
    """The task in the form of a file's rows."""
    return task_of(name, Data.model_validate({"source": str(data)}), Path.cwd())


def _rows(task: Task, data: Path) -> Loaded:
    rows = load(Data.model_validate({"source": str(data)}), shape=task.shape, base=Path.cwd())
    stop_for(rows.problems)
    return rows


_TASKS = {"embedder": "embed", "tagger": "tag", "reader": "answer", "scorer": "score", "masked": "mask"}


def _task_of(model: Subject) -> str:
    if isinstance(model, served.Served):
        return model.task
    if model is None or model.kind in ("classifier", "tfidf"):
        return "classify"
    if model.kind == "hosted":
        return getattr(model, "task", None) or "classify"
    if model.kind in _TASKS:
        return _TASKS[model.kind]
    usual = "translate" if model.kind == "encoder_decoder" else "chat"
    found: str = getattr(model, "task", None) or usual
    return found
