"""Routes over labelling projects: list, make, change, remove, judge, export."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from tunesmith.core.store.labelling import Label
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio import sessions
from tunesmith.studio.labelling.forms import NewProject, ProjectChanges, ProjectInfo, ProjectList
from tunesmith.studio.roles import ENGINEER, VIEWER
from tunesmith.studio.state import Studio
from tunesmith.workflow.labelling import making, suggesters
from tunesmith.workflow.labelling.exporting import export
from tunesmith.workflow.labelling.following import Background
from tunesmith.workflow.labelling.quality import quality

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/labelling"): VIEWER,
    ("POST", "/api/labelling"): ENGINEER,
    ("GET", "/api/labelling/{name}"): VIEWER,
    ("PUT", "/api/labelling/{name}"): ENGINEER,
    ("DELETE", "/api/labelling/{name}"): ENGINEER,
    ("GET", "/api/labelling/{name}/quality"): VIEWER,
    ("GET", "/api/labelling/{name}/export"): VIEWER,
}


class QualityInfo(BaseModel):
    """Agreement, annotators, and whether more labels are worth it; see `workflow.labelling.quality`."""

    quality: dict[str, Any]
    stopping: dict[str, Any]


def add_routes(app: FastAPI, studio: Studio, background: Background) -> None:
    """Put the routes of projects into `app`."""
    store = studio.store

    def told(name: str, request: Request) -> ProjectInfo:
        return ProjectInfo.of(store.project(name), store.standing(name), who(request))

    @app.get("/api/labelling")
    def projects(request: Request) -> ProjectList:
        """All labelling projects."""
        return ProjectList(projects=[told(project.name, request) for project in store.projects()])

    @app.post("/api/labelling")
    def create(wishes: NewProject, request: Request) -> ProjectInfo:
        """Make a project of files on the machine of the service."""
        name = wishes.name or making.name_of(wishes.files[0])
        wish = making.Wish(
            name=name, kind=wishes.task, labels=wishes.labels, guideline=wishes.guideline,
            overlap=wishes.overlap, order=wishes.order, scale=wishes.scale, doubtful=wishes.doubtful,
            suggesters=[suggesters.of_name(one) for one in wishes.suggest],
        )  # fmt: skip
        project = making.create(store, wishes.files, wish, fields={}, gold=wishes.gold)
        background.begin(project)
        return told(name, request)

    @app.get("/api/labelling/{name}")
    def project(name: str, request: Request) -> ProjectInfo:
        """One project."""
        return told(name, request)

    @app.put("/api/labelling/{name}")
    def change(name: str, changes: ProjectChanges, request: Request) -> ProjectInfo:
        """Another guideline, other labels, another order."""
        given = {key: value for key, value in changes if value is not None}
        if changes.labels is not None:
            given["labels"] = tuple(Label(**label.model_dump()) for label in changes.labels)
        store.change_project(replace(store.project(name), **given))
        return told(name, request)

    @app.delete("/api/labelling/{name}")
    def remove(name: str) -> ProjectList:
        """A project and everything that was decided in it."""
        store.remove_project(name)
        return ProjectList(projects=[])

    @app.get("/api/labelling/{name}/quality")
    def judged(name: str) -> QualityInfo:
        """How far people agree, what each did, and whether more labels are worth it."""
        stopping = background.of(store.project(name)).stopping()
        return QualityInfo(quality=asdict(quality(store, name)), stopping=asdict(stopping))

    @app.get("/api/labelling/{name}/export")
    def exported(
        name: str,
        layout: Annotated[str, Query(max_length=32)] = "",
        suffix: Annotated[str, Query(pattern=r"^(jsonl|json|csv|tsv|conll)$")] = "jsonl",
    ) -> Response:
        """What was labelled, as a file."""
        with TemporaryDirectory() as folder:
            out = Path(folder) / f"labels.{suffix}"
            export(store, name, out, layout or None)
            headers = {"Content-Disposition": f'attachment; filename="labels.{suffix}"'}
            return Response(out.read_bytes(), media_type="application/octet-stream", headers=headers)


def who(request: Request) -> str:
    """The annotator that a session or key is; whoever opened the printed address has no name of their own."""
    return sessions.visitor(request).name or "owner"
