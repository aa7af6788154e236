"""The trials of a search: as they go, and as a table of what they came to."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.cli import layout
from tunesmith.cli.output import Output
from tunesmith.core.events import TrialFinished, TrialStarted

_SHOWN = 10


def progress(event: TrialStarted | TrialFinished, output: Output) -> Iterator[str]:
    """What is told when a trial begins and when it ends, in lines of 80 columns."""
    if isinstance(event, TrialStarted):
        values = ", ".join(f"{path} {_short(value)}" for path, value in event.values.items())
        said = output.say("trial_started", trial=event.trial, trials=event.trials, values=values)
    else:
        figure = _figure(event.figure)
        said = output.say(f"trial_{event.state}", trial=event.trial, metric=event.metric, figure=figure)
    first, *rest = layout.wrap(said, 78)
    indent = "" if isinstance(event, TrialStarted) else "  "
    yield indent + first
    yield from (f"  {line}" for line in rest)


def show(search: Mapping[str, Any], output: Output) -> None:
    """The trials with the best figures, the best first."""
    trials = sorted(search["trials"], key=lambda one: _order(one, search))
    paths = list(trials[0]["values"])
    rows = [
        [
            str(one["trial"]), *(_short(one["values"][path]) for path in paths), _figure(one["figure"]),
            f"{one['seconds']:.1f}", output.say(f"state_{_state(one, search)}"),
        ]
        for one in trials[:_SHOWN]
    ]  # fmt: skip
    columns = [output.say("column_trial"), *paths, search["metric"], output.say("column_seconds"), ""]
    output.table(columns, rows, title=output.say("trials_title", metric=search["metric"]))
    if len(trials) > _SHOWN:
        output.line(output.say("trials_more", count=len(trials) - _SHOWN))


def _state(one: Mapping[str, Any], search: Mapping[str, Any]) -> str:
    return "best" if one["trial"] == search["best"] else str(one["state"])


def _order(one: Mapping[str, Any], search: Mapping[str, Any]) -> tuple[float, int]:
    """What sorts the best to the front, the earlier of those that are alike."""
    figure = one["figure"]
    if figure is None:
        return math.inf, one["trial"]
    return -figure if search["direction"] == "higher" else figure, one["trial"]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _short(value: Any) -> str:
    """A value as it fits into a column."""
    if isinstance(value, float):
        return f"{value:.3g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
