"""Data sets over HTTP: taken in, listed, read page by page, searched."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request, Response
from pydantic import BaseModel, Field

from tunesmith.core.errors import UsageError
from tunesmith.serve import errors
from tunesmith.serve.policies import Policy, Route
from tunesmith.serve.strict import Strict
from tunesmith.studio import sessions, uploads
from tunesmith.studio.datasets import library, rows
from tunesmith.studio.datasets.library import Dataset
from tunesmith.studio.roles import ENGINEER, VIEWER
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/datasets"): VIEWER,
    ("POST", "/api/datasets"): ENGINEER,
    ("GET", "/api/datasets/{id}"): VIEWER,
    ("PUT", "/api/datasets/{id}"): ENGINEER,
    ("DELETE", "/api/datasets/{id}"): ENGINEER,
    ("GET", "/api/datasets/{id}/rows"): VIEWER,
}

Identity = Annotated[str, Path(pattern=r"^[\w-]{1,80}$")]
Name = Annotated[str, Field(max_length=200)]
Fields = Annotated[dict[Name, Name], Field(max_length=32)]
_PAGE = 500


class DatasetWishes(Strict):
    """A file that was uploaded, or one on the server's machine; what is not said is recognised."""

    upload: Annotated[str | None, Field(max_length=32)] = None
    path: Annotated[str | None, Field(max_length=4096)] = None
    name: Name = ""
    task: Name | None = None
    fields: Fields = Field(default_factory=dict)


class MappingWishes(Strict):
    """Another task, or other columns for its fields."""

    task: Name | None = None
    fields: Fields = Field(default_factory=dict)


class DatasetEntry(BaseModel):
    """A data set as the page shows it."""

    id: str
    name: str
    path: str
    bytes: int
    rows: int
    format: str
    encoding: str | None
    delimiter: str | None
    columns: list[str]
    broken: int
    shape: str | None
    kind: str | None
    mapping: dict[str, str]
    task: str | None
    problems: list[dict[str, Any]]
    parent: str | None
    by: str
    created: float


class DatasetList(BaseModel):
    """Data sets, newest first."""

    datasets: list[DatasetEntry]


class DatasetRow(BaseModel):
    """A row as it stands in its file; `line` is where it begins."""

    line: int
    cells: dict[str, str | None]


class DatasetRows(BaseModel):
    """A page of rows; `total` is how many there are, or match."""

    total: int
    rows: list[DatasetRow]


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of data sets into `app`."""
    workspace = studio.workspace

    @app.get("/api/datasets")
    def datasets(request: Request) -> DatasetList:
        """All data sets."""
        lang = errors.language(request.headers)
        return DatasetList(datasets=[_entry(one, lang) for one in library.found(workspace)])

    @app.post("/api/datasets", status_code=201)
    def take_in(wishes: DatasetWishes, request: Request) -> DatasetEntry:
        """Make a data set of a file."""
        if (wishes.upload is None) == (wishes.path is None):
            raise UsageError("W14")
        file = uploads.find(workspace, wishes.upload) if wishes.upload else FilePath(wishes.path or "")
        who = sessions.visitor(request)
        made = library.take_in(
            workspace, file, name=wishes.name, task=wishes.task, fields=wishes.fields,
            move=wishes.upload is not None, by=who.name or who.role,
        )  # fmt: skip
        return _entry(made, errors.language(request.headers))

    @app.get("/api/datasets/{id}")
    def dataset(id: Identity, request: Request) -> DatasetEntry:  # noqa: A002  the name in the path
        """One data set."""
        return _entry(library.find(workspace, id), errors.language(request.headers))

    @app.put("/api/datasets/{id}")
    def remap(id: Identity, wishes: MappingWishes, request: Request) -> DatasetEntry:  # noqa: A002
        """Say what its rows are for, and which column is which field."""
        made = library.remap(workspace, library.find(workspace, id), wishes.task, wishes.fields)
        return _entry(made, errors.language(request.headers))

    @app.delete("/api/datasets/{id}", status_code=204)
    def remove(id: Identity) -> Response:  # noqa: A002
        """Delete a data set."""
        library.remove(workspace, library.find(workspace, id))
        return Response(status_code=204)

    @app.get("/api/datasets/{id}/rows")
    def page(
        id: Identity,  # noqa: A002
        offset: Annotated[int, Query(ge=0, le=2**40)] = 0,
        limit: Annotated[int, Query(ge=1, le=_PAGE)] = 100,
        search: Annotated[str, Query(max_length=200)] = "",
    ) -> DatasetRows:
        """Rows as they stand in the file, from any place; or those that have some words."""
        one, place = library.find(workspace, id), library.pieces(workspace, id)
        if not search:
            return _rows(one.rows, rows.page(place, one.pieces, offset, limit))
        return _rows(*rows.search(place, one.pieces, search, offset, limit))


def _rows(total: int, found: list[dict[str, Any]]) -> DatasetRows:
    return DatasetRows(total=total, rows=[DatasetRow(**row) for row in found])


def _entry(one: Dataset, lang: str) -> DatasetEntry:
    names = DatasetEntry.model_fields.keys() - {"problems"}
    shown = {name: getattr(one, name) for name in names}
    return DatasetEntry(**shown, problems=(one.problem or {}).get(lang, []))
