"""One run: how far it is, what it came to, what it warned of, and its releases and notes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request

from tunesmith.core import runs, text
from tunesmith.core.runs import RunFolder
from tunesmith.serve import errors
from tunesmith.serve.answers import Frozen
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.roles import VIEWER
from tunesmith.studio.runs.facts import RunFacts
from tunesmith.studio.runs.naming import RunId
from tunesmith.studio.series.alerts import SeriesAlert, alerts
from tunesmith.studio.series.known import Known, Mark
from tunesmith.studio.series.reading import said
from tunesmith.studio.state import Studio
from tunesmith.workflow import lineage

POLICIES: dict[Route, Policy] = {("GET", "/api/runs/{run_id}"): VIEWER}


class RunProblem(Frozen):
    """A warning or an error in words of the reader's language."""

    code: str
    message: str
    cause: str
    hint: str
    time: float
    training: str
    step: int


class RunStage(Frozen):
    """A stage that is done, how long it took in seconds, and whether its result was there already."""

    stage: str
    seconds: float
    cached: bool


class RunTraining(Frozen):
    """How far one training came: its last step, and the sums until there."""

    name: str
    step: int
    steps: int
    epoch: float
    loss: float | None
    tokens: int
    seconds: float
    memory: int | None


class RunNote(Frozen):
    """What somebody wrote about the run, and when."""

    text: str
    written: float


class RunDetails(Frozen):
    """Everything about a run but its series, samples and report; `result` is that of result.json."""

    facts: RunFacts
    path: str
    stages: list[RunStage]
    trainings: list[RunTraining]
    warnings: list[RunProblem]
    failed: RunProblem | None
    alerts: list[SeriesAlert]
    result: dict[str, Any] | None
    releases: list[dict[str, Any]]
    tags: list[str]
    notes: list[RunNote]
    has_report: bool
    has_outcome: bool


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the route of one run into `app`."""

    @app.get("/api/runs/{run_id}")
    def one(run_id: RunId, request: Request) -> RunDetails:
        """A run by its id, the beginning of it, or `latest`."""
        run = runs.find(studio.workspace.runs, run_id)
        return _run(run, studio.notebook.of(run), studio, errors.language(request.headers))


def _run(run: RunFolder, facts: RunFacts, studio: Studio, lang: str) -> RunDetails:
    known = studio.series.of(run)
    failures = list(_told(run, known, "Failed", lang)) if facts.status == "failed" else []
    return RunDetails(
        facts=facts,
        path=str(run.path),
        stages=[RunStage(**_some(each, RunStage)) for each in _said(run, known, "StageFinished")],
        trainings=[_training(known, name) for name in known.trainings if len(known.track(name, "train"))],
        warnings=list(_told(run, known, "Warned", lang)),
        failed=failures[-1] if failures else None,
        alerts=alerts(known),
        result=run.result(),
        releases=lineage.of_run(run, studio.workspace),
        tags=list(studio.store.tags("run").get(run.id, ())),
        notes=[RunNote(**_some(asdict(note), RunNote)) for note in studio.store.notes("run", run.id)],
        has_report=run.report.is_file(),
        has_outcome=run.outcome.is_file(),
    )


def _some(values: dict[str, Any], shape: type[Frozen]) -> dict[str, Any]:
    return {name: values[name] for name in shape.model_fields}


def _marks(known: Known, event: str) -> list[Mark]:
    return [mark for mark in known.marks if mark.event == event]


def _said(run: RunFolder, known: Known, event: str) -> Iterator[dict[str, Any]]:
    for mark in _marks(known, event):
        yield said(run.events.path, mark)


def _told(run: RunFolder, known: Known, event: str, lang: str) -> Iterator[RunProblem]:
    for mark in _marks(known, event):
        record = said(run.events.path, mark)
        words = text.explain(record["code"], lang, record["values"])
        yield RunProblem(code=record["code"], **words, time=mark.time, training=mark.training, step=mark.step)


def _training(known: Known, name: str) -> RunTraining:
    track = known.track(name, "train").columns
    last = {column: float(values[-1]) for column, values in track.items()}
    return RunTraining(
        name=name,
        step=int(last["step"]),
        steps=int(last["steps"]),
        epoch=last["epoch"],
        loss=last["loss"] if math.isfinite(last["loss"]) else None,
        tokens=int(track["tokens"].sum()),
        seconds=float(track["seconds"].sum()),
        memory=int(track["memory"].max()) if "memory" in track else None,
    )
