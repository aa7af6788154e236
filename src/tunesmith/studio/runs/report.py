"""The evaluation of a run: its report as it is on disk, and the rows it was made from, to be searched."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import FastAPI, Query
from starlette.responses import Response, StreamingResponse

from tunesmith.core import runs
from tunesmith.core.errors import NotFoundError
from tunesmith.data.writers.delimited import cell_of, escape
from tunesmith.eval.report import Report
from tunesmith.serve.answers import Frozen
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.roles import VIEWER
from tunesmith.studio.runs.judged import Judged, Judgement, Wanted
from tunesmith.studio.runs.naming import RunId
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/runs/{run_id}/report"): VIEWER,
    ("GET", "/api/runs/{run_id}/mistakes"): VIEWER,
    ("GET", "/api/runs/{run_id}/mistakes.csv"): VIEWER,
}

# Two of them and the words have to fit into an address.
Label = Annotated[str | None, Query(max_length=2048)]
Search = Annotated[str, Query(max_length=1000)]
Which = Literal["wrong", "right", "all"]


class Mistakes(Frozen):
    """Some of the `total` rows asked for. `judged`: rows are right or wrong; `worded`: they have words."""

    rows: list[Judgement]
    total: int
    judged: bool
    worded: bool


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of evaluations into `app`."""
    judged = Judged()

    @app.get("/api/runs/{run_id}/report", response_model=Report)
    def report(run_id: RunId) -> Response:
        """The report; infinity and NaN are words in it, as in report.json."""
        run = runs.find(studio.workspace.runs, run_id)
        if not run.report.is_file():
            raise NotFoundError("W43", run=run.id)
        return Response(run.report.read_bytes(), media_type="application/json")

    @app.get("/api/runs/{run_id}/mistakes")
    def mistakes(
        run_id: RunId,
        which: Which = "wrong",
        target: Label = None,
        predicted: Label = None,
        search: Search = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    ) -> Mistakes:
        """Rows of the evaluation in words: what was asked, what the data has there, what the model said."""
        rows = judged.of(runs.find(studio.workspace.runs, run_id))
        found = rows.places(Wanted(which=which, target=target, predicted=predicted, search=search))
        shown = [rows.judgement(place) for place in found[offset : offset + limit]]
        return Mistakes(rows=shown, total=len(found), judged=rows.right is not None, worded=rows.worded)

    @app.get("/api/runs/{run_id}/mistakes.csv", response_class=StreamingResponse)
    def table(
        run_id: RunId,
        which: Which = "wrong",
        target: Label = None,
        predicted: Label = None,
        search: Search = "",
    ) -> StreamingResponse:
        """The same rows, all of them, as a file."""
        rows = judged.of(runs.find(studio.workspace.runs, run_id))
        found = rows.places(Wanted(which=which, target=target, predicted=predicted, search=search))
        lines = _lines(rows.judgement(place) for place in found)
        headers = {"Content-Disposition": 'attachment; filename="mistakes.csv"'}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def _lines(rows: Iterator[Judgement]) -> Iterator[str]:
    yield _line("row", "text", "target", "answer", "right", "probability")
    for row in rows:
        yield _line(row.row, row.text, row.target, row.answer, row.right, row.probability)


def _line(*values: object) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([escape(cell_of(value)) for value in values])
    return line.getvalue()
