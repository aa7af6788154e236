"""Routes over learning from use: on which models people have an opinion, and the review of what they said.

Learning itself is a job of the kind `learn`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Path
from pydantic import BaseModel

from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.roles import ENGINEER, VIEWER
from tunesmith.studio.state import Studio
from tunesmith.workflow.feedback import opinions, reviewing, versions

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/feedback"): VIEWER,
    ("POST", "/api/feedback/{name}/review"): ENGINEER,
}
Name = Annotated[str, Path(pattern=versions.NAME)]


class FeedbackInfo(BaseModel):
    """What was said of a model's answers: rows that could be learned, how many are reviewed, and are new."""

    name: str
    rows: int
    reviewed: int
    new: int
    left_out: dict[str, int]
    project: str


class FeedbackList(BaseModel):
    """The models on which somebody has an opinion."""

    models: list[FeedbackInfo]


class ReviewProject(BaseModel):
    """The labelling project in which feedback is reviewed."""

    name: str


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of feedback into `app`."""
    workspace, store = studio.workspace, studio.store

    @app.get("/api/feedback")
    def feedback() -> FeedbackList:
        """What people said of answers, by model."""
        names = filter(versions.may_have, opinions.names(workspace.requests))
        return FeedbackList(models=[_told(store, workspace, name) for name in names])

    @app.post("/api/feedback/{name}/review")
    def review(name: Name) -> ReviewProject:
        """The project in which what was said of a model is reviewed, with what is new."""
        return ReviewProject(name=reviewing.prepare(store, workspace, name).name)


def _told(store: Store, workspace: Workspace, name: str) -> FeedbackInfo:
    rows, left_out = opinions.gather(workspace.requests, name)
    decided = {**versions.decisions(workspace, name), **reviewing.decided(store, name, rows)}
    return FeedbackInfo(
        name=name, rows=len(rows), reviewed=sum(row[opinions.ID] in decided for row in rows),
        new=versions.not_learned(workspace, name, versions.chosen(rows, decided, only_reviewed=False)),
        left_out=dict(left_out), project=reviewing.project_name(name),
    )  # fmt: skip
