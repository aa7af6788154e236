"""Versions of a data set over HTTP: what it was made of, what was made of it, and what that changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.datasets import library
from tunesmith.studio.datasets.library import Dataset
from tunesmith.studio.datasets.routes import Identity
from tunesmith.studio.roles import VIEWER
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {("GET", "/api/datasets/{id}/versions"): VIEWER}


class DatasetVersion(BaseModel):
    """One version: `change` is how many rows it has more than its parent, null where there is none any more.

    `clean` are the cleaners that made it, `cleaned` how many rows each changed or dropped, and `dropped` how
    many went for which reason.
    """

    id: str
    name: str
    parent: str | None
    by: str
    created: float
    rows: int
    change: int | None
    clean: list[str]
    cleaned: dict[str, Any]
    dropped: dict[str, int]


class DatasetVersions(BaseModel):
    """A data set and all that it is related to: parents before what was made of them."""

    versions: list[DatasetVersion]


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the route of versions into `app`."""

    @app.get("/api/datasets/{id}/versions")
    def versions(id: Identity) -> DatasetVersions:  # noqa: A002  the name in the path
        """The versions of a data set, from the one that came in to the last that was made of it."""
        one = library.find(studio.workspace, id)
        known = library.found(studio.workspace)
        family = list(_below(_first(one, known), known))
        sizes = {each.id: each.rows for each in family}
        return DatasetVersions(versions=[_version(each, sizes) for each in family])


def _first(one: Dataset, known: Sequence[Dataset]) -> Dataset:
    """The data set that all of a family was made of, as far as it is still there."""
    named = {each.id: each for each in known}
    while one.parent in named:
        one = named[one.parent]
    return one


def _below(one: Dataset, known: Sequence[Dataset]) -> Iterator[Dataset]:
    yield one
    for each in sorted(known, key=lambda each: each.created):
        if each.parent == one.id:
            yield from _below(each, known)


def _version(one: Dataset, sizes: dict[str, int]) -> DatasetVersion:
    made = one.made or {}
    before = sizes.get(one.parent or "")
    ledger = made.get("ledger", {})
    dropped = {**ledger.get("dropped", {}), "duplicate": ledger.get("duplicate", 0)}
    return DatasetVersion(
        id=one.id, name=one.name, parent=one.parent, by=one.by, created=one.created, rows=one.rows,
        change=None if before is None else one.rows - before,
        clean=[each["name"] if isinstance(each, dict) else each for each in made.get("clean", [])],
        cleaned=made.get("cleaned", {}), dropped={reason: n for reason, n in dropped.items() if n},
    )  # fmt: skip
