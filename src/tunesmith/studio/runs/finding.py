"""Which run is meant."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from tunesmith.core import runs
from tunesmith.core.errors import NotFoundError
from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace

LATEST = "latest"
RunId = Annotated[str, Path(min_length=1, max_length=256, pattern=r"^[^/\\]+$")]


def find(workspace: Workspace, name: str) -> RunFolder:
    """The run with this id, or the newest of all for `latest`.

    Raises:
        NotFoundError: W40 when there is no run at all, C06 when none has this id.
    """
    exact = RunFolder(workspace.runs / name)
    if name not in (".", "..") and exact.recipe.is_file():
        return exact
    if name != LATEST:
        return runs.find(workspace.runs, name)
    every = runs.all_runs(workspace.runs)
    if not every:
        raise NotFoundError("W40")
    return every[-1]
