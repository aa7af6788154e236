"""What is told of a model beyond its scores, in a few lines."""

from __future__ import annotations

from typing import Any

from tunesmith.cli import layout
from tunesmith.cli.output import Output

_SHOWN = 3


def show(diagnosis: dict[str, Any], output: Output) -> None:
    """Where it is worse, how far its probabilities are off, why it was wrong, how fast it is."""
    for each in diagnosis["slices"][:_SHOWN]:
        where = ", ".join(_condition(one, output) for one in each["conditions"])
        figures = {name: f"{each[name]:.4f}" for name in ("value", "rest")}
        output.line(output.say("slice_worse", where=where, rows=f"{each['rows']:,}", **figures))
    if known := diagnosis["calibration"]:
        key = "calibrated" if known["temperature"] is None else "calibrated_with"
        output.line(output.say(key, **{name: f"{value or 0:.3f}" for name, value in known.items()}))
    if causes := diagnosis["causes"]:
        told = [f"{output.say('cause_' + kind)} {rows:,}" for kind, rows in causes.items()]
        for line in layout.wrap(output.say("causes") + " · ".join(told), 80):
            output.line(line)
    if (pace := diagnosis["pace"]) and pace["seconds"]:
        rates = {name: (pace[name] or 0) / pace["seconds"] for name in ("rows", "tokens")}
        key = "pace_rows" if pace["tokens"] is None else "pace_written"
        output.line(output.say(key, **{name: f"{rate:,.0f}" for name, rate in rates.items()}))


def _condition(one: dict[str, str], output: Output) -> str:
    known = ("length", "language", "label")
    name = output.say(f"slice_{one['column']}") if one["column"] in known else one["column"]
    return f"{name} {one['value']}"
