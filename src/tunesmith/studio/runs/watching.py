"""What a run says while it works: its events, what the model writes, the recipe it was given, its files."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from starlette.responses import FileResponse

from tunesmith.core import recipe_file, runs, text
from tunesmith.core.errors import NotFoundError
from tunesmith.core.runs import RunFolder
from tunesmith.serve import errors
from tunesmith.serve.answers import Frozen
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.roles import VIEWER
from tunesmith.studio.runs.naming import RunId
from tunesmith.studio.series.known import Mark
from tunesmith.studio.series.reading import said
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/runs/{run_id}/log"): VIEWER,
    ("GET", "/api/runs/{run_id}/samples"): VIEWER,
    ("GET", "/api/runs/{run_id}/recipe"): VIEWER,
    ("GET", "/api/runs/{run_id}/files"): VIEWER,
    ("GET", "/api/runs/{run_id}/files/{name:path}"): VIEWER,
}

Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, lt=2**31)]
_MOST_FILES = 2000
_HIDDEN = "."


class RunLogEntry(Frozen):
    """An event that is no row of numbers; `message` are its words where it has a code."""

    event: str
    time: float
    training: str
    step: int
    values: dict[str, Any]
    message: str | None


class RunLog(Frozen):
    """Some of `total` entries, newest first."""

    entries: list[RunLogEntry]
    total: int


class RunSample(Frozen):
    """What the model wrote for a row after a step, beside what the data has there."""

    prompt: str
    answer: str
    expected: str | None


class RunSampling(Frozen):
    """What the model wrote after a step."""

    training: str
    step: int
    time: float
    samples: list[RunSample]


class RunSamples(Frozen):
    """Some of `total` samplings, newest first."""

    samplings: list[RunSampling]
    total: int


class SavedRecipe(Frozen):
    """The recipe that the run carries out, with all defaults, versions and hashes, as it is on disk.

    `values` are those of a new recipe that begins with it: all but its lock.
    """

    file: str
    yaml: str
    values: dict[str, Any]


class RunFile(Frozen):
    """A file of the run's folder: bytes, and when it was changed, in seconds since 1970."""

    name: str
    size: int
    changed: float


class RunFiles(Frozen):
    """The files of a run's folder."""

    path: str
    files: list[RunFile]


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes by which a run is watched into `app`."""

    @app.get("/api/runs/{run_id}/log")
    def log(run_id: RunId, request: Request, limit: Limit = 200, offset: Offset = 0) -> RunLog:
        """What happened, newest first."""
        run = runs.find(studio.workspace.runs, run_id)
        marks = [mark for mark in studio.series.of(run).marks[::-1] if mark.event != "Sampled"]
        lang = errors.language(request.headers)
        return RunLog(entries=[_entry(run, each, lang) for each in marks[offset:][:limit]], total=len(marks))

    @app.get("/api/runs/{run_id}/samples")
    def samples(run_id: RunId, limit: Limit = 20, offset: Offset = 0) -> RunSamples:
        """What the model wrote while it was trained, newest first."""
        run = runs.find(studio.workspace.runs, run_id)
        marks = [mark for mark in studio.series.of(run).marks[::-1] if mark.event == "Sampled"]
        return RunSamples(
            samplings=[_sampling(run, each) for each in marks[offset:][:limit]], total=len(marks)
        )

    @app.get("/api/runs/{run_id}/recipe")
    def recipe(run_id: RunId) -> SavedRecipe:
        """The saved recipe."""
        run = runs.find(studio.workspace.runs, run_id)
        values = recipe_file.parse(run.recipe).values
        mine = {key: value for key, value in values.items() if key != "lock"}
        return SavedRecipe(file=str(run.recipe), yaml=run.recipe.read_text("utf-8"), values=mine)

    @app.get("/api/runs/{run_id}/files")
    def files(run_id: RunId) -> RunFiles:
        """The files of the run."""
        run = runs.find(studio.workspace.runs, run_id)
        return RunFiles(path=str(run.path), files=_files(run))

    @app.get("/api/runs/{run_id}/files/{name:path}", response_class=FileResponse)
    def file(run_id: RunId, name: str) -> FileResponse:
        """One file, to be kept and not to be shown."""
        run = runs.find(studio.workspace.runs, run_id)
        if name not in {each.name for each in _files(run)}:
            raise NotFoundError("W42", name=name[:200], run=run.id)
        return FileResponse(
            run.path / name, media_type="application/octet-stream", filename=name.replace("/", "-")
        )


def _entry(run: RunFolder, mark: Mark, lang: str) -> RunLogEntry:
    record = said(run.events.path, mark)
    values = {key: value for key, value in record.items() if key not in ("event", "time")}
    code = record.get("code")
    words = text.explain(code, lang, record["values"])["message"] if code else None
    return RunLogEntry(
        event=mark.event, time=mark.time, training=mark.training, step=mark.step, values=values, message=words
    )


def _sampling(run: RunFolder, mark: Mark) -> RunSampling:
    samples = said(run.events.path, mark)["samples"]
    return RunSampling(training=mark.training, step=mark.step, time=mark.time, samples=samples)


def _files(run: RunFolder) -> list[RunFile]:
    """The plain files of the folder; a link may lead out of it, and is not among them."""
    found = (path for path in sorted(run.path.rglob("*")) if path.is_file() and not path.is_symlink())
    inner = (path for path in found if not path.relative_to(run.path).as_posix().startswith(_HIDDEN))
    return [
        RunFile(
            name=path.relative_to(run.path).as_posix(), size=path.stat().st_size, changed=path.stat().st_mtime
        )
        for path, _ in zip(inner, range(_MOST_FILES), strict=False)
    ]
