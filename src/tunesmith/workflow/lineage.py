"""Where a release comes from and where it went: rows, recipe, run, report, release, aliases.

The hashes that a release keeps are held to the files of its run, where those are still there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, TypeAlias

from tunesmith.core import durable
from tunesmith.core.runs import RunFolder
from tunesmith.core.store import Release, Store
from tunesmith.core.workspace import Workspace

State: TypeAlias = Literal["same", "changed", "gone", "unknown"]


def of_release(release: Release, workspace: Workspace) -> dict[str, Any]:
    """The chain that ends in a release, whether its files are as they were, and the moves of its aliases."""
    known = release.lineage
    return {
        "data": known.get("data"),
        "recipe": known.get("recipe"),
        "run": known.get("run"),
        "report": known.get("report"),
        "gate": known.get("gate"),
        "release": release.label,
        "digest": release.digest,
        "states": states(known, workspace),
        "moves": [asdict(move) for move in Store(workspace.database).history(release.name)],
    }


def states(lineage: Mapping[str, Any], workspace: Workspace) -> dict[str, State]:
    """Whether the recipe and the report of the run that made a release are what they were."""
    name = lineage.get("run")
    run = RunFolder(workspace.runs / name) if name else None
    return {
        "recipe": _state(run.recipe if run else None, lineage.get("recipe")),
        "report": _state(run.report if run else None, lineage.get("report")),
    }


def _state(path: Path | None, expected: str | None) -> State:
    if path is None or expected is None:
        return "unknown"
    if not path.is_file():
        return "gone"
    return "same" if durable.sha256(path) == expected else "changed"


def of_run(run: RunFolder, workspace: Workspace) -> list[dict[str, Any]]:
    """The releases that a run made, with the aliases that point to them."""
    if not workspace.database.exists():
        return []
    found = Store(workspace.database).releases()
    return [
        {"release": each.label, "aliases": list(each.aliases), "data": each.lineage.get("data")}
        for each in found
        if each.lineage.get("run") == run.id
    ]
