"""Routes of releases: which there are, and moving their aliases with a reason and who gave it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Path, Request
from pydantic import BaseModel, Field

from tunesmith.core.store import Release
from tunesmith.serve.policies import Policy, Route
from tunesmith.serve.strict import Strict
from tunesmith.studio.model_answers import Move
from tunesmith.studio.roles import ENGINEER, VIEWER
from tunesmith.studio.sessions import visitor
from tunesmith.studio.state import Studio
from tunesmith.workflow import promotion
from tunesmith.workflow.promotion import Moved
from tunesmith.workflow.releases import checked_name

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/releases"): VIEWER,
    ("GET", "/api/releases/{name}"): VIEWER,
    ("POST", "/api/releases/{name}/promote"): ENGINEER,
    ("POST", "/api/releases/{name}/rollback"): ENGINEER,
}
Name = Annotated[str, Path(max_length=64)]
Version = Annotated[int, Field(ge=1, lt=2**31)]
Alias = Annotated[str, Field(min_length=1, max_length=64)]
Reason = Annotated[str, Field(max_length=2000)]


class PromoteRequest(Strict):
    """Point an alias to a version; `expected` is where whoever decides saw the alias, None: nowhere."""

    version: Version
    expected: Version | None
    alias: Alias = "production"
    reason: Reason = ""


class RollbackRequest(Strict):
    """Point an alias to where it was before; `expected` is where whoever decides saw it."""

    expected: Version
    alias: Alias = "production"
    reason: Reason = ""


class ReleaseRow(BaseModel):
    """A registered version of a model. `gate` is what it passed, if it did."""

    label: str
    name: str
    version: int
    task: str
    created: float
    aliases: list[str]
    tags: list[str]
    run: str | None
    gate: dict[str, Any] | None


class Releases(BaseModel):
    """All of them, by name and version."""

    releases: list[ReleaseRow]


class Versions(BaseModel):
    """The versions of one name, and how its aliases were moved, oldest first."""

    name: str
    versions: list[ReleaseRow]
    moves: list[Move]


class MovedAlias(BaseModel):
    """Where an alias is now, and where it was."""

    name: str
    alias: str
    version: int
    previous: int | None


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of releases into `app`."""

    @app.get("/api/releases")
    def releases() -> Releases:
        """All releases."""
        return Releases(releases=[_row(release) for release in studio.store.releases()])

    @app.get("/api/releases/{name}")
    def versions(name: Name) -> Versions:
        """The versions of one name."""
        studio.store.release(name)
        found = [_row(release) for release in studio.store.releases() if release.name == name]
        moves = [Move.model_validate(move, from_attributes=True) for move in studio.store.history(name)]
        return Versions(name=name, versions=found, moves=moves)

    @app.post("/api/releases/{name}/promote")
    def promote(name: Name, wishes: PromoteRequest, request: Request) -> MovedAlias:
        """Point an alias to a version that passed its gate, or for a reason."""
        moved = promotion.promote(
            studio.store,
            f"{name}@{wishes.version}",
            checked_name(wishes.alias),
            wishes.reason,
            expected=wishes.expected,
            by=_who(request),
        )
        return _moved(moved)

    @app.post("/api/releases/{name}/rollback")
    def rollback(name: Name, wishes: RollbackRequest, request: Request) -> MovedAlias:
        """Point an alias to where it was before its last move."""
        moved = promotion.rollback(
            studio.store, name, wishes.alias, wishes.reason, expected=wishes.expected, by=_who(request)
        )
        return _moved(moved)


def _who(request: Request) -> str | None:
    """The name of who asks; whoever opened the printed address is the system's user."""
    return visitor(request).name or None


def _moved(moved: Moved) -> MovedAlias:
    release = moved.release
    return MovedAlias(name=release.name, alias=moved.alias, version=release.version, previous=moved.previous)


def _row(release: Release) -> ReleaseRow:
    return ReleaseRow(
        label=release.label,
        name=release.name,
        version=release.version,
        task=release.task,
        created=release.created,
        aliases=list(release.aliases),
        tags=list(release.tags),
        run=release.lineage.get("run"),
        gate=release.lineage.get("gate"),
    )
