"""What may be done with a run: stopped, continued, marked, removed."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Annotated

from fastapi import FastAPI
from pydantic import Field

from tunesmith.core import runs
from tunesmith.core.removing import remove_run
from tunesmith.serve.answers import Frozen
from tunesmith.serve.policies import Policy, Route
from tunesmith.serve.strict import Strict
from tunesmith.studio.roles import ENGINEER
from tunesmith.studio.runs.naming import RunId
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {
    ("POST", "/api/runs/{run_id}/stop"): ENGINEER,
    ("PUT", "/api/runs/{run_id}/tags"): ENGINEER,
    ("POST", "/api/runs/{run_id}/notes"): ENGINEER,
    ("DELETE", "/api/runs/{run_id}"): ENGINEER,
}

Tag = Annotated[str, Field(min_length=1, max_length=64)]


class RunStopping(Frozen):
    """Whether a process works on the run and was asked to stop; it ends after its step, with a checkpoint."""

    run: str
    asked: bool


class RunTagsRequest(Strict):
    """All tags the run is to have."""

    tags: Annotated[list[Tag], Field(max_length=50)]


class RunTags(Frozen):
    """The tags of a run."""

    tags: list[str]


class RunNoteRequest(Strict):
    """What to write about the run."""

    text: Annotated[str, Field(min_length=1, max_length=10_000)]


class RunDone(Frozen):
    """The run it was done to."""

    run: str


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes that change runs into `app`."""

    @app.post("/api/runs/{run_id}/stop")
    def stop(run_id: RunId) -> RunStopping:
        """Ask the process that works on the run to stop, as Ctrl-C does; it can be continued."""
        run = runs.find(studio.workspace.runs, run_id)
        owner = run.owner()
        if owner is not None:
            with suppress(ProcessLookupError):  # it ended just now
                os.kill(owner, signal.SIGTERM)
        return RunStopping(run=run.id, asked=owner is not None)

    @app.put("/api/runs/{run_id}/tags")
    def tag(run_id: RunId, wishes: RunTagsRequest) -> RunTags:
        """Give the run these tags and no others."""
        run = runs.find(studio.workspace.runs, run_id)
        added = studio.store.tag("run", run.id, wishes.tags)
        return RunTags(tags=list(studio.store.untag("run", run.id, set(added) - set(wishes.tags))))

    @app.post("/api/runs/{run_id}/notes")
    def note(run_id: RunId, wishes: RunNoteRequest) -> RunDone:
        """Write a note about the run."""
        run = runs.find(studio.workspace.runs, run_id)
        studio.store.note("run", run.id, wishes.text)
        return RunDone(run=run.id)

    @app.delete("/api/runs/{run_id}")
    def remove(run_id: RunId) -> RunDone:
        """Delete the run's folder; releases that it made stay."""
        run = runs.find(studio.workspace.runs, run_id)
        remove_run(run, studio.workspace)
        studio.series.forget(run)
        return RunDone(run=run.id)
