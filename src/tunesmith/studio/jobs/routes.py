"""Jobs over HTTP: asked for, listed, looked at, cancelled, done again."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request
from pydantic import BaseModel
from starlette.responses import PlainTextResponse

from tunesmith.core.errors import UsageError
from tunesmith.core.store import Job
from tunesmith.serve import errors
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio import sessions
from tunesmith.studio.jobs import lease
from tunesmith.studio.jobs.wishes import JobWishes, title
from tunesmith.studio.roles import ENGINEER, VIEWER
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/jobs"): VIEWER,
    ("POST", "/api/jobs"): ENGINEER,
    ("GET", "/api/jobs/{id}"): VIEWER,
    ("GET", "/api/jobs/{id}/log"): VIEWER,
    ("POST", "/api/jobs/{id}/cancel"): ENGINEER,
    ("POST", "/api/jobs/{id}/retry"): ENGINEER,
}

Status = Literal["queued", "running", "finished", "failed", "cancelled"]
IDENTITY = r"^[0-9a-z-]{1,32}$"
Identity = Annotated[str, Path(pattern=IDENTITY)]
_LOG = 200_000


class JobEntry(BaseModel):
    """A job as the page shows it; `problems` say why it failed, in the language of who asks."""

    id: str
    kind: str
    title: str
    by: str
    status: Status
    attempt: int
    created: float
    started: float | None
    ended: float | None
    stopping: float | None
    progress: float | None
    subject: str | None
    result: dict[str, Any] | None
    problems: list[dict[str, Any]]
    revision: int


class JobList(BaseModel):
    """Jobs, newest first; `next` is the cursor of those that follow, null when these are the last."""

    jobs: list[JobEntry]
    next: str | None = None


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of jobs into `app`."""

    @app.get("/api/jobs")
    def jobs(
        request: Request,
        status: Status | None = None,
        cursor: Annotated[str, Query(pattern=IDENTITY)] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> JobList:
        """Jobs, newest first; with the `next` of a list as `cursor`, those that come after it."""
        found = studio.store.jobs(status=status, after=cursor or None, limit=limit + 1)
        lang = errors.language(request.headers)
        more = found[limit - 1].id if len(found) > limit else None
        return JobList(jobs=[entry(job, lang) for job in found[:limit]], next=more)

    @app.post("/api/jobs", status_code=201)
    def ask(wishes: JobWishes, request: Request) -> JobEntry:
        """Ask for a job; it waits for its turn and outlives this server."""
        lang = errors.language(request.headers)
        return entry(add(studio, wishes, request), lang)

    @app.get("/api/jobs/{id}")
    def job(id: Identity, request: Request) -> JobEntry:  # noqa: A002  the name in the path
        """One job."""
        return entry(studio.store.job(id), errors.language(request.headers))

    @app.get("/api/jobs/{id}/log", response_class=PlainTextResponse)
    def log(id: Identity) -> PlainTextResponse:  # noqa: A002
        """The end of what the job's process printed."""
        path = lease.log(studio.workspace, studio.store.job(id).id)
        return PlainTextResponse(_end(path).decode(errors="replace") if path.exists() else "")

    @app.post("/api/jobs/{id}/cancel")
    def cancel(id: Identity, request: Request) -> JobEntry:  # noqa: A002
        """Ask a job to end, training with a checkpoint; asked a second time, it is ended at once."""
        studio.jobs.cancel(studio.store.job(id))
        return entry(studio.store.job(id), errors.language(request.headers))

    @app.post("/api/jobs/{id}/retry")
    def retry(id: Identity, request: Request) -> JobEntry:  # noqa: A002
        """Do a job again that failed or was cancelled; training goes on from its last checkpoint."""
        if not studio.store.retry_job(studio.store.job(id).id):
            raise UsageError("W08", id=id)
        studio.jobs.look_now()
        return entry(studio.store.job(id), errors.language(request.headers))


def _end(path: FilePath) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LOG))
        return file.read(_LOG)


def add(studio: Studio, wishes: JobWishes, request: Request) -> Job:
    """A new job for whoever asks."""
    who = sessions.visitor(request)
    arguments = {"wishes": wishes.model_dump(), "lang": errors.language(request.headers)}
    made = studio.store.add_job(wishes.kind, title(wishes), arguments, by=who.name or who.role)
    studio.jobs.look_now()
    return made


def entry(job: Job, lang: str) -> JobEntry:
    """A job as the page shows it."""
    shown = {name: getattr(job, name) for name in JobEntry.model_fields if name != "problems"}
    return JobEntry(**shown, problems=(job.error or {}).get(lang, []))
