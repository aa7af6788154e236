"""What is in a data set: its profile, what cleaners would do, what another data set repeats of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from pydantic import BaseModel, Field

from tunesmith.serve import errors
from tunesmith.serve.policies import Policy, Route
from tunesmith.serve.strict import Strict
from tunesmith.studio.datasets import library
from tunesmith.studio.datasets.routes import Identity
from tunesmith.studio.roles import ENGINEER, VIEWER
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/datasets/{id}/profile"): VIEWER,
    ("POST", "/api/datasets/{id}/cleaning"): ENGINEER,
    ("GET", "/api/datasets/{id}/overlap"): VIEWER,
}

Other = Annotated[str, Query(pattern=r"^[\w-]{1,80}$")]


class CleaningWishes(Strict):
    """Cleaners in their order, by name or with settings, and how many rows of each to show."""

    clean: Annotated[list[str | dict[str, Any]], Field(min_length=1, max_length=32)]
    count: Annotated[int, Field(ge=1, le=100)] = 20


class DatasetProfile(BaseModel):
    """What was measured of the rows, by the last job of the kind `profile`; null before there was one."""

    profile: dict[str, Any] | None


class CleaningEffects(BaseModel):
    """What each cleaner would do, after those before it."""

    effects: list[dict[str, Any]]


class Overlap(BaseModel):
    """How many rows of the other data set are in this one, and the pairs that are most alike.

    `least` is how alike two texts had to be.
    """

    least: float
    rows: dict[str, int]
    repeated: int
    exact: int
    pairs: list[dict[str, Any]]


class DatasetOverlap(BaseModel):
    """What the last job of the kind `overlap` found with this other data set; null before there was one."""

    overlap: Overlap | None


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes that look into data sets into `app`."""
    workspace = studio.workspace

    @app.get("/api/datasets/{id}/profile")
    def profile(id: Identity, request: Request) -> DatasetProfile:  # noqa: A002
        """What was measured of the rows."""
        from tunesmith.data.profile import spoken

        place = library.folder(workspace, library.find(workspace, id).id) / "profile.json"
        if not place.exists():
            return DatasetProfile(profile=None)
        measured = json.loads(place.read_text("utf-8"))
        return DatasetProfile(profile=spoken(measured, errors.language(request.headers)))

    @app.post("/api/datasets/{id}/cleaning")
    def cleaning(id: Identity, wishes: CleaningWishes) -> CleaningEffects:  # noqa: A002
        """What cleaners would do to the first rows; nothing is changed."""
        from tunesmith.workflow.dataset.previewing import preview_files

        section = library.find(workspace, id).section(clean=wishes.clean)
        effects = preview_files(section, wishes.count)
        return CleaningEffects(
            effects=[
                {"cleaner": one.name, "rows": [{"line": s.line, **asdict(s.effect)} for s in one.shown]}
                for one in effects
            ]
        )

    @app.get("/api/datasets/{id}/overlap")
    def overlap(id: Identity, other: Other) -> DatasetOverlap:  # noqa: A002
        """Which rows of another data set are in this one too, exactly or nearly."""
        one, second = library.find(workspace, id), library.find(workspace, other)
        place = library.overlap(workspace, one, second)
        return DatasetOverlap(overlap=json.loads(place.read_text("utf-8")) if place.exists() else None)
