"""Models as tables and lists of facts."""

from __future__ import annotations

from typing import Any

from tunesmith.cli import layout
from tunesmith.cli.output import Output


def show_list(found: dict[str, Any], output: Output) -> None:
    """Releases, then the catalogue."""
    if found["releases"]:
        columns = ["model", "task", "size", "aliases", "created"]
        rows = [
            [row["name"], _tasks(row), _size(row), ", ".join(row["aliases"]), layout.moment(row["created"])]
            for row in found["releases"]
        ]
        output.table([output.say(f"column_{c}") for c in columns], rows, title=output.say("models_releases"))
    if not found["catalogue"]:
        output.line(output.say("models_none") if not found["releases"] else "")
        return
    columns = ["model", "kind", "size", "languages", "licence", "fits"]
    rows = [_shown(row, output) for row in found["catalogue"]]
    output.table([output.say(f"column_{c}") for c in columns], rows, title=output.say("models_catalogue"))
    if found["memory_bytes"]:
        size = f"{found['memory_bytes'] / 2**30:.1f} GiB"
        for line in layout.wrap(output.say("models_fits", memory=size), 78):
            output.line(f" {line}")


def _shown(row: dict[str, Any], output: Output) -> list[str]:
    best = row["fit"]["best"] if row["fit"] else "none"
    return [
        row["name"] + (" *" if row["installed"] else ""),
        output.say(f"models_kind_{row['kind']}"),
        _size(row),
        _few(row["languages"]),
        row["licence"].removeprefix("LicenseRef-"),
        "-" if best == "none" else best,
    ]


def _few(languages: list[str]) -> str:
    """Two languages, and a sign of more."""
    shown = ["multi" if language == "multilingual" else language for language in languages]
    return ",".join(shown[:2]) + ("…" if len(shown) > 2 else "")


def _tasks(row: dict[str, Any]) -> str:
    return row["problem"] if row.get("problem") else ",".join(row["tasks"])


def _size(row: dict[str, Any]) -> str:
    return layout.count(row["parameters"]) if row["parameters"] else "-"
