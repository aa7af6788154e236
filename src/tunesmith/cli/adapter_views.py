"""The adapters of one model in the terminal, side by side."""

from __future__ import annotations

from typing import Any

from tunesmith.cli import layout
from tunesmith.cli.output import Output


def show(base: str, found: list[dict[str, Any]], output: Output) -> None:
    """A line for each adapter, a column for each score that any of them has."""
    if not found:
        output.line(output.say("models_no_adapters", name=base))
        return
    metrics = sorted({metric for row in found for metric in row["scores"]})
    columns = [output.say(f"column_{name}") for name in ("model", "method", "rank", "size", "bytes")]
    output.table([*columns, *metrics], [[*_row(row), *_scores(row, metrics)] for row in found], title=base)


def _row(row: dict[str, Any]) -> list[str]:
    size = layout.mebibytes(row["bytes"])
    return [row["name"], row["method"], str(row["rank"] or "-"), layout.count(row["parameters"]), size]


def _scores(row: dict[str, Any], metrics: list[str]) -> list[str]:
    return [f"{row['scores'][metric]:.4f}" if metric in row["scores"] else "-" for metric in metrics]
