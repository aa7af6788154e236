"""A data set as a job: of an upload, of files where they lie, or of the hub."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.core import durable
from tunesmith.studio.jobs.context import Context


def take_in(wishes: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Make a data set, telling how far it is read; what an interrupted import left is thrown away."""
    from tunesmith.studio.datasets import library

    durable.sweep(library.folder(context.workspace, ""))

    def note(part: float) -> None:
        context.progress = part

    origin = library.Origin(
        path=_files(wishes, context), name=wishes["name"] or (wishes["hub"] or "").rpartition("/")[2],
        task=wishes["task"], fields=wishes["fields"], move=wishes["upload"] is not None, by=context.by,
    )  # fmt: skip
    made = library.take_in(context.workspace, origin, note)
    context.subject = made.id
    return {"dataset": made.id, "rows": made.rows}


def _files(wishes: Mapping[str, Any], context: Context) -> Path:
    from tunesmith.data import hub
    from tunesmith.studio import uploads

    if wishes["upload"] is not None:
        return uploads.find(context.workspace, wishes["upload"])
    return Path(wishes["path"]) if wishes["path"] else hub.fetched(wishes["hub"])
