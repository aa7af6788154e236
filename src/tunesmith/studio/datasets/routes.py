"""Data sets over HTTP: listed, said what they are for, removed. A job of the kind `import` makes one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Path, Request, Response
from pydantic import BaseModel, Field

from tunesmith.serve import errors
from tunesmith.serve.policies import Policy, Route
from tunesmith.serve.strict import Strict
from tunesmith.studio.datasets import library
from tunesmith.studio.datasets.library import Dataset
from tunesmith.studio.roles import ENGINEER, VIEWER
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/datasets"): VIEWER,
    ("GET", "/api/datasets/{id}"): VIEWER,
    ("PUT", "/api/datasets/{id}"): ENGINEER,
    ("DELETE", "/api/datasets/{id}"): ENGINEER,
}

Identity = Annotated[str, Path(pattern=r"^[\w-]{1,80}$")]
Name = Annotated[str, Field(max_length=200)]
Fields = Annotated[dict[Name, Name], Field(max_length=32)]


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


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of data sets into `app`."""
    workspace = studio.workspace

    @app.get("/api/datasets")
    def datasets(request: Request) -> DatasetList:
        """All data sets."""
        lang = errors.language(request.headers)
        return DatasetList(datasets=[entry(one, lang) for one in library.found(workspace)])

    @app.get("/api/datasets/{id}")
    def dataset(id: Identity, request: Request) -> DatasetEntry:  # noqa: A002  the name in the path
        """One data set."""
        return entry(library.find(workspace, id), errors.language(request.headers))

    @app.put("/api/datasets/{id}")
    def remap(id: Identity, wishes: MappingWishes, request: Request) -> DatasetEntry:  # noqa: A002
        """Say what its rows are for, and which column is which field."""
        made = library.remap(workspace, library.find(workspace, id), wishes.task, wishes.fields)
        return entry(made, errors.language(request.headers))

    @app.delete("/api/datasets/{id}", status_code=204)
    def remove(id: Identity) -> Response:  # noqa: A002
        """Delete a data set."""
        library.remove(workspace, library.find(workspace, id))
        return Response(status_code=204)


def entry(one: Dataset, lang: str) -> DatasetEntry:
    """A data set as the page shows it."""
    names = DatasetEntry.model_fields.keys() - {"problems"}
    shown = {name: getattr(one, name) for name in names}
    return DatasetEntry(**shown, problems=(one.problem or {}).get(lang, []))
