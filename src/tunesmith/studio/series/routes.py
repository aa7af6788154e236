"""The series of a run at any zoom, what happened beside them, and all their rows as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.responses import Response, StreamingResponse

from tunesmith.core import runs
from tunesmith.core.runs import RunFolder
from tunesmith.serve.answers import Frozen
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.roles import VIEWER
from tunesmith.studio.runs.naming import RunId
from tunesmith.studio.series import axes
from tunesmith.studio.series.alerts import SeriesAlert, alerts
from tunesmith.studio.series.answers import Series, series_of, training_of
from tunesmith.studio.series.axes import Axis
from tunesmith.studio.series.known import Known
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/runs/{run_id}/series"): VIEWER,
    ("GET", "/api/runs/{run_id}/series.csv"): VIEWER,
    ("GET", "/api/series"): VIEWER,
}

# Of marks of one kind that are closer together than a line on the page is wide, one is enough.
_MARKS = 50
_MOST_RUNS = 50
_MARKED = ("Saved", "Resumed", "Skipped", "Warned", "Stopped", "Failed", "Finished")


class SeriesEvent(Frozen):
    """What happened where on the axis; `event` as in events.jsonl."""

    event: str
    x: float
    step: int


class SeriesAnswer(Frozen):
    """Series of one training of a run, in the order they were asked for; `keys` are all there are."""

    run: str
    training: str
    trainings: list[str]
    keys: list[str]
    axis: Axis
    series: list[Series]
    events: list[SeriesEvent]
    alerts: list[SeriesAlert]
    step: int


class RunSeries(Frozen):
    """Series of the last training of one of several runs; `keys` are all there are."""

    run: str
    keys: list[str]
    series: list[Series]


class SeveralSeries(Frozen):
    """The same series of several runs, in the order they were asked for."""

    axis: Axis
    runs: list[RunSeries]


Keys = Annotated[str, Query(max_length=4096, description="Names of series, divided by commas; none: all.")]
Training = Annotated[str, Query(max_length=512, description="Which training of the run; empty: the last.")]
Names = Annotated[
    str, Query(alias="runs", min_length=1, max_length=4096, description="Ids of runs, divided by commas.")
]
First = Annotated[float | None, Query(alias="from", allow_inf_nan=False)]
Final = Annotated[float | None, Query(alias="to", allow_inf_nan=False)]
Points = Annotated[int, Query(ge=2, le=20_000)]


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of series into `app`."""

    @app.get("/api/runs/{run_id}/series", response_model=SeriesAnswer)
    def series(
        run_id: RunId,
        keys: Keys = "",
        training: Training = "",
        x: Axis = "step",
        first: First = None,
        final: Final = None,
        points: Points = 600,
    ) -> Response:
        """Buckets of the rows between two places of the axis, computed anew for every zoom."""
        run = runs.find(studio.workspace.runs, run_id)
        known = studio.series.of(run)
        chosen = training_of(known, training)
        every = axes.keys(known, chosen)
        wanted = _wanted(keys, every)
        answer = SeriesAnswer(
            run=run.id,
            training=chosen,
            trainings=list(known.trainings),
            keys=every,
            axis=x,
            series=[series_of(known, chosen, key, x, points, first, final) for key in wanted],
            events=_events(known, chosen, x),
            alerts=alerts(known),
            step=known.step,
        )
        return _said(answer)

    @app.get("/api/series", response_model=SeveralSeries)
    def several(
        named: Names, keys: Keys = "", x: Axis = "step", first: First = None, final: Final = None,
        points: Points = 600,
    ) -> Response:  # fmt: skip
        """The same of several runs at once, for their comparison: one question, however many they are."""
        names = list(dict.fromkeys(name for name in named.split(",") if name))[:_MOST_RUNS]
        found = [_run_series(studio, name, keys, x, points, first, final) for name in names]
        return _said(SeveralSeries(axis=x, runs=found))

    @app.get("/api/runs/{run_id}/series.csv", response_class=StreamingResponse)
    def table(run_id: RunId, training: Training = "") -> StreamingResponse:
        """Every row of every series: key, step, time (seconds since 1970), value."""
        run = runs.find(studio.workspace.runs, run_id)
        known = studio.series.of(run)
        lines = _lines(known, training_of(known, training))
        headers = {"Content-Disposition": f'attachment; filename="{_file(run)}"'}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def _run_series(
    studio: Studio, name: str, keys: str, x: Axis, points: int, first: float | None, final: float | None
) -> RunSeries:
    run = runs.find(studio.workspace.runs, name)
    known = studio.series.of(run)
    chosen = training_of(known, "")
    every = axes.keys(known, chosen)
    found = [series_of(known, chosen, key, x, points, first, final) for key in _wanted(keys, every)]
    return RunSeries(run=run.id, keys=every, series=found)


def _wanted(keys: str, every: list[str]) -> list[str]:
    return [key for key in keys.split(",") if key in every] if keys else every


def _said(answer: Frozen) -> Response:
    """What is built here is valid: it is not checked a second time."""
    return Response(answer.model_dump_json(), media_type="application/json")


def _events(known: Known, training: str, axis: Axis) -> list[SeriesEvent]:
    """What happened in a training, where on the axis; of many of a kind the evenly spread and the last."""
    mine = [mark for mark in known.marks if mark.training == training and mark.event in _MARKED]
    kinds = {event: [mark for mark in mine if mark.event == event] for event in _MARKED}
    shown = [mark for marks in kinds.values() for mark in marks[:: -(-len(marks) // _MARKS) or 1]]
    places = axes.places(known, training, [mark.step for mark in shown], axis)
    return [
        SeriesEvent(event=mark.event, x=place, step=mark.step)
        for mark, place in zip(shown, places, strict=True)
    ]


def _lines(known: Known, training: str) -> Iterator[str]:
    yield "key,step,time,value\n"
    for key in axes.keys(known, training):
        track, values = axes.find(known, training, key)
        columns = (track.columns["step"].tolist(), track.columns["time"].tolist(), values.tolist())
        yield "".join(
            f"{key},{step:.0f},{when},{value}\n" for step, when, value in zip(*columns, strict=True)
        )


def _file(run: RunFolder) -> str:
    name: Any = run.id.encode("ascii", "replace").decode().replace('"', "_")
    return f"{name}.csv"
