"""The eval stage: from a trained model to its report, beside baselines and the production model."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core import cache
from tunesmith.core.events import Answer
from tunesmith.core.store import Release, Store
from tunesmith.data.columns import read as read_columns
from tunesmith.eval import baselines, comparison, entities, gate, metrics, outcome_file, reading, significance
from tunesmith.eval import report as reports
from tunesmith.eval.ablation import Ablation
from tunesmith.eval.causes import Taught
from tunesmith.eval.metrics import Figures, direction
from tunesmith.eval.outcome import (
    AnswerOutcome,
    EntityOutcome,
    LabelOutcome,
    LabelsOutcome,
    Outcome,
    RetrievalOutcome,
    ScoreOutcome,
    SimilarityOutcome,
    TextOutcome,
    TokenOutcome,
)
from tunesmith.eval.report import Provenance, Report, TrainingPoint, ValidationPoint, Weights
from tunesmith.models import loading
from tunesmith.models.endpoint import PREFIX
from tunesmith.models.resolve import Resolved, resolve
from tunesmith.workflow import (
    diagnosing,
    forgetting,
    limits,
    measuring,
    references,
    searching,
    slice_rules,
    slicing,
    spans,
    tokens,
    training,
)
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Candidate, Plan

if TYPE_CHECKING:
    import polars as pl

    from tunesmith.data.ledger import Ledger
    from tunesmith.models.loading import Model
    from tunesmith.tasks.examples import Examples
    from tunesmith.tasks.task import Learner, Task

PRODUCTION = "production"
_FILES = ("report.json", "outcome.parquet")


def choose(plan: Plan, parts: Parts) -> tuple[Candidate, tuple[reports.Candidate, ...]]:
    """The candidate that is best on the validation part by the recipe's metric; and all their scores."""
    if len(plan.candidates) == 1:
        return plan.candidates[0], ()
    metric = plan.metric
    found: list[dict[str, float]] = []
    for candidate in plan.candidates:
        model = loading.load(Resolved(name=candidate.name, folder=training.folder_of(plan, candidate)))
        outcome = outcome_on(plan, candidate, parts, "validation", model)
        found.append(metrics.measure(plan.followed, outcome))
    sign = -1 if direction(metric) == "lower" else 1
    # A candidate whose score is no number is the last one to be kept.
    values = [-math.inf if math.isnan(each[metric]) else sign * each[metric] for each in found]
    best = values.index(max(values))
    tried = tuple(
        reports.Candidate(name=candidate.name, scores=scores, kept=i == best)
        for i, (candidate, scores) in enumerate(zip(plan.candidates, found, strict=True))
    )
    return plan.candidates[best], tried


def make(
    plan: Plan,
    parts: Parts,
    ledger: Ledger,
    kept: Candidate,
    tried: tuple[reports.Candidate, ...],
    rival: Release | None,
    ablation: Ablation | None = None,
) -> tuple[Report, Path, bool]:
    """The report of the kept candidate on the held-out part, its outcome's file, and if both were there.

    `rival` is the model in `production`, which it may be compared with.
    """
    key = cache.key(
        eval=plan.eval_key, kept=kept.key, production=rival.digest if rival else None, files=_FILES
    )

    def write(folder: Path) -> None:
        report, outcome = _judge(plan, parts, ledger, kept, tried, rival)
        text = json.dumps(report.as_dict(), ensure_ascii=False)
        (folder / _FILES[0]).write_text(text, encoding="utf-8")
        outcome_file.write(folder / _FILES[1], outcome, ledger.ids(outcome.rows))

    folder, cached = cache.folder(plan.workspace.cache, "eval", key, write)
    report = Report.load(folder / _FILES[0])
    # Recipes that differ only in what they publish share this result: the run to name is the one that asks.
    provenance = replace(report.provenance, run=plan.run.id)
    report = replace(report, provenance=provenance, search=_search(plan), ablation=ablation)
    return report, folder / _FILES[1], cached


def _search(plan: Plan) -> reports.Search | None:
    """What the run tried before it came to its settings."""
    tried = searching.finished(plan.run)
    best = searching.best(plan, tried)
    if best is None:
        return None
    trials = tuple(
        reports.Trial(
            trial=one.trial, values=one.values, state=one.state, figure=one.figure, seconds=one.seconds
        )
        for one in tried
    )
    return reports.Search(
        metric=plan.metric, direction=direction(plan.metric), best=best.trial, trials=trials
    )


def production(plan: Plan) -> Release | None:
    """The published model in production under the recipe's name, if the recipe compares with it."""
    if plan.recipe.publish is None or not plan.compares_with_production:
        return None
    return Store(plan.workspace.database).find(f"{plan.recipe.publish.name}@{PRODUCTION}")


def _judge(
    plan: Plan,
    parts: Parts,
    ledger: Ledger,
    kept: Candidate,
    tried: tuple[reports.Candidate, ...],
    rival: Release | None,
) -> tuple[Report, Outcome]:
    began = time.monotonic()
    folder = training.folder_of(plan, kept)
    model = loading.load(Resolved(name=kept.name, folder=folder))
    part = parts.split(parts.held_out)
    asked = time.monotonic()
    outcome = outcome_on(plan, kept, parts, parts.held_out, model)
    pace = diagnosing.pace(outcome, model, time.monotonic() - asked)
    report = report_of(
        plan, parts, ledger, kept, outcome,
        beside=_rivals(plan, kept, parts, outcome, rival),
        samples=measuring.samples(model, part, plan.recipe.seed),
        notes=training.notes_of(folder),
        tried=tried,
        model=model,
    )  # fmt: skip
    wanted = plan.recipe.eval
    lost = None
    if wanted.forgetting or wanted.limits.forgetting is not None:
        lost = forgetting.measure(plan, kept, folder)
    held = limits.held(wanted.limits, plan.task, model, folder, parts, lost)
    done = replace(report, gate=gate.both(report.gate, held), forgetting=lost)
    return replace(done, pace=pace, seconds=time.monotonic() - began), outcome


def report_of(
    plan: Plan,
    parts: Parts,
    ledger: Ledger,
    kept: Candidate,
    outcome: Outcome,
    *,
    beside: Mapping[str, Outcome],
    samples: Sequence[Mapping[str, Any]],
    notes: Mapping[str, Any],
    tried: tuple[reports.Candidate, ...] = (),
    model: Model | None = None,
) -> Report:
    """The report of what the kept candidate does on the held-out part, and others `beside` it.

    `notes` are those of its training; `model` is the candidate where it is still to be asked.
    """
    figures = metrics.figures(metric_names(plan.task, plan.recipe.eval.metrics), outcome)
    frame = parts.split(parts.held_out)
    report = replace(
        _measured(plan, parts, kept, figures, beside),
        samples=tuple(Answer(**sample) for sample in samples),
        candidates=tried,
        curve=tuple(
            TrainingPoint(step=step, loss=loss, learning_rate=rate) for step, loss, rate in notes["curve"]
        ),
        validation=tuple(ValidationPoint(step=s, scores=found) for s, found in notes["validation"]),
        weights=_weights(plan, notes),
        ledger=ledger.summary(),
    )
    report = with_labels(report, outcome, ledger)
    columns = columns_of(plan, frame)
    report = replace(report, gate=gate.both(report.gate, _of_slices(plan, outcome, frame, columns)))
    return diagnosing.diagnosed(
        report, figures, frame,
        model=model,
        validation=_validation(plan, parts, kept, model, outcome),
        second=beside.get("tfidf"),
        taught=_learned(parts.split("train"), outcome),
        columns=columns,
    )  # fmt: skip


def _measured(
    plan: Plan, parts: Parts, kept: Candidate, figures: Figures, beside: Mapping[str, Outcome]
) -> Report:
    """The report of figures alone: beside those of the others, and held to the gate."""
    names = [*figures.scores]
    others = {
        name: metrics.figures(comparison.comparable(names, figures.outcome, done), done)
        for name, done in beside.items()
    }
    scores = {name: other.scores for name, other in others.items()}
    pairs = {name: significance.paired(figures, other) for name, other in others.items()}
    return Report(
        task=plan.task.name,
        model=kept.name,
        part=parts.held_out,
        rows=parts.split(parts.held_out).height,
        scores=figures.scores,
        intervals=significance.intervals(figures),
        directions={name: direction(name) for name in names},
        provenance=Provenance(
            run=plan.run.id, data=plan.data_key, model=kept.identity, versions=plan.versions
        ),
        baselines=scores,
        differences=tuple(each for name in pairs for each in significance.differences(name, pairs[name])),
        gate=gate.judge(plan.recipe.eval.gate, figures.scores, scores, pairs),
    )


def columns_of(plan: Plan, frame: pl.DataFrame) -> slicing.Read:
    """The columns of the files by which rows are divided, in the report or by the gate.

    Raises:
        DataError: C30 when no file has a column that the recipe names.
    """
    asked = plan.recipe.eval
    names = list(dict.fromkeys([*asked.slices, *slice_rules.columns(asked.gate)]))
    rows = frame["_row"].to_list()
    return read_columns(plan.recipe.data, names, rows, shape=plan.task.shape, base=plan.base)


def _of_slices(plan: Plan, outcome: Outcome, frame: pl.DataFrame, columns: slicing.Read) -> gate.Verdict:
    """The rules of the gate for parts of the rows."""
    rules = plan.recipe.eval.gate
    if not any(bound.slices for bound in rules.values()):
        return gate.OPEN
    return slice_rules.held(rules, outcome, slicing.columns(outcome, frame, columns))


def _validation(
    plan: Plan, parts: Parts, kept: Candidate, model: Model | None, outcome: Outcome
) -> Outcome | None:
    """What a classifier says of the validation part, where that is not what it is judged on."""
    is_other = parts.held_out != "validation" and "validation" in parts.splits
    if model is None or not is_other or not isinstance(outcome, LabelOutcome | LabelsOutcome):
        return None
    return outcome_on(plan, kept, parts, "validation", model)


def _learned(rows: pl.DataFrame, outcome: Outcome) -> Taught:
    if not isinstance(outcome, LabelOutcome):
        return Taught()
    return Taught(texts=rows["text"].to_list(), labels=rows["label"].to_list())


def _weights(plan: Plan, notes: Mapping[str, Any]) -> Weights | None:
    """Which weights were kept; None of a model that is not trained in steps."""
    kept = notes.get("kept")
    if not kept or not notes["curve"]:
        return None
    return Weights(keep=plan.recipe.train.keep, step=kept[-1], steps=notes["curve"][-1][0])


def outcome_on(plan: Plan, candidate: Candidate, parts: Parts, split: str, model: Model) -> Outcome:
    """What a model does on a split, whose rows are encoded once, beside what a candidate began as."""

    def encoded(learner: Learner) -> Examples:
        found = tokens.of(plan, parts, split, learner)
        return references.of(plan, candidate, parts, split, start, found)

    def start() -> Learner:
        return training.learner_of(plan, candidate, parts)[0]

    return measuring.outcome_of(
        plan.task,
        model,
        parts.split(split),
        plan.recipe.data.max_length,
        encoded,
    )


def _rivals(
    plan: Plan, kept: Candidate, parts: Parts, outcome: Outcome, rival: Release | None
) -> dict[str, Outcome]:
    """What the baselines, hosted models and the production model do on the same rows."""
    found = baselines_of(plan, parts, outcome)
    if isinstance(outcome, LabelOutcome):
        for name in (name for name in plan.recipe.eval.against if name.startswith(PREFIX)):
            if hosted := resolve(name, plan.workspace).hosted:
                informed = hosted.with_labels(outcome.labels)
                found[name] = measuring.asked(informed, parts.split(parts.held_out))
    if rival is not None:
        model = loading.load(Resolved(name=rival.name, folder=Path(rival.folder)))
        found[PRODUCTION] = outcome_on(plan, kept, parts, parts.held_out, model)
    return found


def baselines_of(plan: Plan, parts: Parts, outcome: Outcome) -> dict[str, Outcome]:
    """What is made here, in a moment, to be compared with: the baselines of the task and of the recipe."""
    if isinstance(outcome, TokenOutcome):
        return {}
    named = (name for name in plan.recipe.eval.against if name != PRODUCTION and not name.startswith(PREFIX))
    wanted = dict.fromkeys([*plan.task.baselines, *named])
    return baselines.run(wanted, *_taught(parts.split("train"), outcome), outcome)


def _taught(rows: pl.DataFrame, outcome: Outcome) -> tuple[Sequence[str], Sequence[Any]]:
    """What a baseline learns from: texts, and what is known of each; nothing where none learns."""
    match outcome:
        case LabelOutcome():
            return rows["text"].to_list(), rows["label"].to_list()
        case LabelsOutcome():
            return rows["text"].to_list(), rows["labels"].to_list()
        case ScoreOutcome():
            return rows["text"].to_list(), rows["score"].to_list()
        case TextOutcome() | RetrievalOutcome() | SimilarityOutcome():
            return rows["source"].to_list(), rows["target"].to_list()
        case EntityOutcome():
            return rows["text"].to_list(), spans.entities(rows)
        case _:
            return (), ()


def metric_names(task: Task, more: Sequence[str]) -> list[str]:
    """The task's own metrics and those asked for, each once."""
    return list(dict.fromkeys([*task.metrics, *more]))


def with_labels(report: Report, outcome: Outcome, ledger: Ledger) -> Report:
    """The report with figures for each label, and mistakes or examples, where the outcome has labels."""
    if isinstance(outcome, EntityOutcome):
        shown = tuple(Answer(**one) for one in entities.examples(outcome))
        return replace(report, per_class=entities.per_label(outcome), samples=shown)
    if isinstance(outcome, AnswerOutcome):
        return replace(report, samples=tuple(Answer(**one) for one in reading.examples(outcome)))
    if not isinstance(outcome, LabelOutcome):
        return report
    return report.with_labels(outcome, places(ledger.frame))


def places(ledger: pl.DataFrame) -> Callable[[int], tuple[str, int]]:
    """Where a row of the ledger stands: file and line."""

    def place(row: int) -> tuple[str, int]:
        found = ledger.row(row, named=True)
        return found["file"], found["line"]

    return place
