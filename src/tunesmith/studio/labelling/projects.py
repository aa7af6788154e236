"""Routes over labelling projects: list, make, change, remove."""

from __future__ import annotations

from dataclasses import replace

from fastapi import FastAPI, Request

from tunesmith.core.errors import UsageError
from tunesmith.core.store.labelling import Label, Project
from tunesmith.data.annotation.kinds import GUESSED
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio import sessions
from tunesmith.studio.datasets import library
from tunesmith.studio.labelling.forms import NewProject, ProjectChanges, ProjectInfo, ProjectList
from tunesmith.studio.roles import ENGINEER, VIEWER
from tunesmith.studio.state import Studio
from tunesmith.workflow.labelling import making, suggesters
from tunesmith.workflow.labelling.following import Background

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/labelling"): VIEWER,
    ("POST", "/api/labelling"): ENGINEER,
    ("GET", "/api/labelling/{name}"): VIEWER,
    ("PUT", "/api/labelling/{name}"): ENGINEER,
    ("DELETE", "/api/labelling/{name}"): ENGINEER,
}


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
        """Make a project of a data set, or of files on the machine of the service."""
        project = _made(studio, wishes)
        background.begin(project)
        return told(project.name, request)

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
        changed = replace(store.project(name), **given)
        making.require_order(changed.order, changed.task)
        store.change_project(changed)
        return told(name, request)

    @app.delete("/api/labelling/{name}")
    def remove(name: str) -> ProjectList:
        """A project and everything that was decided in it."""
        store.remove_project(name)
        return ProjectList(projects=[])


def _made(studio: Studio, wishes: NewProject) -> Project:
    if (wishes.dataset is None) == (not wishes.files):
        raise UsageError("L16")
    source = None if wishes.dataset is None else library.find(studio.workspace, wishes.dataset)
    files = wishes.files if source is None else [source.path]
    fields = {} if source is None else source.chosen
    # Columns that were chosen are those of a shape, which says what is labelled.
    usual = GUESSED.get(source.shape or "") if source is not None and fields else None
    wish = making.Wish(
        name=wishes.name or making.name_of(files[0] if source is None else source.name),
        kind=wishes.task or usual, labels=wishes.labels, guideline=wishes.guideline,
        overlap=wishes.overlap, order=wishes.order, scale=wishes.scale, doubtful=wishes.doubtful,
        suggesters=[suggesters.of_name(one, studio.workspace) for one in wishes.suggest],
    )  # fmt: skip
    return making.create(studio.store, files, wish, fields=fields, gold=wishes.gold)


def who(request: Request) -> str:
    """The annotator that a session or key is; whoever opened the printed address has no name of their own."""
    return sessions.visitor(request).name or "owner"
