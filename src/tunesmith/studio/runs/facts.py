"""What a list says of a run, read from small files and from the ends of a large one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tunesmith.core.runs import RunFolder

Status = Literal["running", "finished", "stopped", "failed", "interrupted"]

_TASK = re.compile(rb"^task: ([a-z_]{1,40})\s*$", re.M)
_HEAD = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigure:
    """What a model is known by: its first metric, with its interval where there is one."""

    metric: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """A run in a few values; times are seconds since 1970, `seconds` is how long it took, if it is over."""

    id: str
    status: Status
    task: str
    model: str | None
    began: float
    changed: float
    seconds: float | None
    release: str | None
    figure: RunFigure | None
    passed: bool | None
    step: int | None
    steps: int | None
    seconds_left: float | None


class Notebook:
    """The facts of runs, looked up again when their files have changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], RunFacts]] = {}

    def of(self, run: RunFolder) -> RunFacts:
        """The facts as they are now."""
        seen = (*_stamp(run), run.owner() or 0)
        known = self._known.get(run.id)
        if known is None or known[0] != seen:
            known = (seen, _facts(run))
            self._known[run.id] = known
        return known[1]


def _stamp(run: RunFolder) -> tuple[int, ...]:
    files = (run.events.path, run.path / "result.json")
    found = (file.stat() for file in files if file.exists())
    return tuple(number for each in found for number in (each.st_mtime_ns, each.st_size))


def _facts(run: RunFolder) -> RunFacts:
    result = run.result() or {}
    first, last = run.events.first() or {}, run.events.last() or {}
    step = run.events.last("Step") or {}
    began = first.get("time", run.recipe.stat().st_ctime)
    changed = last.get("time", began)
    status: Any = run.status()
    return RunFacts(
        id=run.id,
        status=status,
        task=_task(run),
        model=result.get("model"),
        began=began,
        changed=changed,
        seconds=None if status == "running" else result.get("seconds", changed - began),
        release=result.get("release"),
        figure=_figure(result),
        passed=(result.get("gate") or {}).get("passed"),
        step=step.get("step"),
        steps=step.get("steps"),
        seconds_left=step.get("seconds_left") if status == "running" else None,
    )


def _task(run: RunFolder) -> str:
    """The task of the recipe: its lock is written by us, so that its line need not be parsed."""
    with run.recipe.open("rb") as file:
        found = _TASK.search(file.read(_HEAD))
    return found[1].decode() if found else ""


def _figure(result: Mapping[str, Any]) -> RunFigure | None:
    for metric, value in result.get("scores", {}).items():
        interval = result.get("intervals", {}).get(metric) or {}
        return RunFigure(metric=metric, value=value, low=interval.get("low"), high=interval.get("high"))
    return None
