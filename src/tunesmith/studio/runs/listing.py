"""The list of runs: newest first, filtered, in pieces, each with the course of its loss in a few points."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from fastapi import FastAPI, Query

from tunesmith.core import runs
from tunesmith.core.runs import RunFolder
from tunesmith.eval.metrics import direction
from tunesmith.serve.answers import Frozen
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.roles import VIEWER
from tunesmith.studio.runs.facts import RunFacts, RunFigure, Status
from tunesmith.studio.series.buckets import buckets
from tunesmith.studio.series.known import Known
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {("GET", "/api/runs"): VIEWER}

_POINTS = 40
_MOST = 200
Words = Annotated[str, Query(max_length=200)]


class ListedRun(Frozen):
    """A run in the list; `sparkline` is its loss from the first step to the last, None: no number."""

    facts: RunFacts
    tags: list[str]
    sparkline: list[float | None]


class RunList(Frozen):
    """Some of the runs that were asked for, of `total`; `counts` says how many of those have which status."""

    runs: list[ListedRun]
    total: int
    counts: dict[Status, int]


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the route of the list into `app`."""

    @app.get("/api/runs")
    def listed(
        search: Words = "",
        task: Words = "",
        status: Status | None = None,
        sort: Literal["newest", "oldest", "best"] = "newest",
        limit: Annotated[int, Query(ge=1, le=_MOST)] = 50,
        offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    ) -> RunList:
        """Runs whose id, model, release or tags have all the words of `search`."""
        tags = studio.store.tags("run")
        every = [studio.notebook.of(run) for run in runs.all_runs(studio.workspace.runs)]
        found = [one for one in every if one.task == (task or one.task) and _has(one, tags, search)]
        shown = [one for one in found if status in (None, one.status)]
        shown.sort(key=_order(sort), reverse=sort != "oldest")
        return RunList(
            runs=[_listed(one, tags, studio) for one in shown[offset : offset + limit]],
            total=len(shown),
            counts=Counter(one.status for one in found),
        )


def _has(one: RunFacts, tags: Mapping[str, tuple[str, ...]], search: str) -> bool:
    known = (one.id, one.task, one.model, one.release, *tags.get(one.id, ()))
    said = " ".join(word for word in known if word).lower()
    return all(word in said for word in search.lower().split())


def _order(sort: str) -> Callable[[RunFacts], tuple[float, ...]]:
    if sort != "best":
        return lambda one: (one.began,)
    return lambda one: (one.figure is not None, _worth(one.figure) if one.figure else 0.0, one.began)


def _worth(figure: RunFigure) -> float:
    return -figure.value if direction(figure.metric) == "lower" else figure.value


def _listed(one: RunFacts, tags: Mapping[str, tuple[str, ...]], studio: Studio) -> ListedRun:
    known = studio.series.at_hand(RunFolder(studio.workspace.runs / one.id))
    return ListedRun(
        facts=one, tags=list(tags.get(one.id, ())), sparkline=_sparkline(known) if known is not None else []
    )


def _sparkline(known: Known) -> list[float | None]:
    """The loss of the training that came last."""
    if not known.trainings:
        return []
    track = known.track(known.trainings[-1], "train")
    loss = track.columns.get("loss")
    if loss is None:
        return []
    found = buckets(track.columns["step"], loss, _POINTS, None, None)
    return [value if math.isfinite(value) else None for value in found.last.tolist()]
