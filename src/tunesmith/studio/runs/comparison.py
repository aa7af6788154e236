"""Runs beside each other: figures with intervals and tests, what changed for whom, where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

from fastapi import FastAPI, Query

from tunesmith.core.errors import NotFoundError
from tunesmith.core.runs import RunFolder, find
from tunesmith.eval.comparison import Comparison
from tunesmith.eval.report import Report
from tunesmith.eval.slices import Condition
from tunesmith.serve.answers import Frozen
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.roles import VIEWER
from tunesmith.studio.state import Studio
from tunesmith.workflow import comparing

POLICIES: dict[Route, Policy] = {("GET", "/api/comparison"): VIEWER}

_MOST = 10


class SliceBeside(Frozen):
    """The rows that meet some conditions, and the metric of each run on them; None: not measured."""

    conditions: list[Condition]
    rows: int
    values: list[float | None]


class ComparisonAnswer(Frozen):
    """A comparison, and the parts of the rows that were measured in more than one report."""

    comparison: Comparison
    slices: list[SliceBeside]
    metric: str | None


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the route of comparisons into `app`."""

    @lru_cache(maxsize=16)
    def compared(names: tuple[str, ...], _changed: tuple[int, ...]) -> Comparison:
        return comparing.compare(names, studio.workspace)

    @app.get("/api/comparison")
    def compare(runs: Annotated[str, Query(min_length=1, max_length=4096)]) -> ComparisonAnswer:
        """Runs by their ids, divided by commas, on the rows that all of them were asked."""
        folders = [find(studio.workspace.runs, name) for name in dict.fromkeys(runs.split(",")[:_MOST])]
        names = tuple(folder.id for folder in folders)
        if without := next((folder.id for folder in folders if not folder.report.is_file()), None):
            raise NotFoundError("W43", run=without)
        found = compared(names, tuple(_changed(folder) for folder in folders))
        metric, slices = _slices([Report.load(folder.report) for folder in folders])
        return ComparisonAnswer(comparison=found, slices=slices, metric=metric)


def _changed(run: RunFolder) -> int:
    return max((file.stat().st_mtime_ns for file in (run.report, run.outcome) if file.exists()), default=0)


def _slices(reports: Sequence[Report]) -> tuple[str | None, list[SliceBeside]]:
    """The metric that slices are measured by, and those of the reports that use it."""
    metric = next((report.slices.metric for report in reports if report.slices), None)
    each: list[dict[tuple[Condition, ...], Any]] = [
        {part.conditions: part for part in (*report.slices.groups, *report.slices.worst)}
        if report.slices and report.slices.metric == metric
        else {}
        for report in reports
    ]
    every = dict.fromkeys(conditions for found in each for conditions in found)
    shared = [one for one in every if sum(one in found for found in each) > 1]
    return metric, [
        SliceBeside(
            conditions=list(conditions),
            rows=max(found[conditions].rows for found in each if conditions in found),
            values=[found[conditions].value if conditions in found else None for found in each],
        )
        for conditions in shared
    ]
