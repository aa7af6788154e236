"""Rows of data sets over HTTP: from any place, or those that have some words."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query
from pydantic import BaseModel

from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.datasets import library, rows
from tunesmith.studio.datasets.routes import Identity
from tunesmith.studio.roles import VIEWER
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {("GET", "/api/datasets/{id}/rows"): VIEWER}

_PAGE = 500


class DatasetRow(BaseModel):
    """A row as it stands in its file; `line` is where it begins."""

    line: int
    cells: dict[str, str | None]


class DatasetRows(BaseModel):
    """A page of rows; `total` is how many there are, or match."""

    total: int
    rows: list[DatasetRow]


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the route of rows into `app`."""
    workspace = studio.workspace

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
