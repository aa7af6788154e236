"""Taking away runs, with what the store knows of them."""

from __future__ import annotations

from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace


def remove_run(run: RunFolder, workspace: Workspace) -> None:
    """Delete a run with its tags and notes.

    Raises:
        TunesmithError: C05 while a process works on it.
    """
    run.remove()
    if workspace.database.exists():
        from tunesmith.core.store import Store

        store = Store(workspace.database)
        store.forget("run", run.id)
        store.close()
