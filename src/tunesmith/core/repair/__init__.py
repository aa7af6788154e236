"""Looking through a workspace for what crashes, full disks and foreign hands left behind, and mending it.

Nothing that somebody made is thrown away: what belongs to nothing is moved to `lost/`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunesmith.core.errors import TunesmithError
from tunesmith.core.repair import files, rows
from tunesmith.core.repair.finding import Finding, Visit
from tunesmith.core.repair.salvage import damage, salvage
from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace

__all__ = ["Finding", "Visit", "examine"]


def examine(workspace: Workspace, visit: Visit) -> list[Finding]:
    """All that is wrong in a workspace; with `visit.mend`, what can be mended is."""
    if not workspace.root.is_dir():
        return []
    found = list(files.leftovers(workspace, visit))
    found += files.runs(workspace, visit)
    found += files.caches(workspace, visit)
    return [*found, *_store(workspace, visit)]


def _store(workspace: Workspace, visit: Visit) -> Iterator[Finding]:
    database = workspace.database
    if not database.exists():
        return
    if database.url is None and (reason := damage(database.path)):
        if visit.mend:
            aside, saved = salvage(database.path)
            reason = f"{reason}; {aside.name}: {saved}"
        yield visit.found("damaged", database.path, reason)
        if not visit.mend:
            return
    try:
        store = Store(database)
    except TunesmithError as error:
        yield visit.found("unreachable", database.shown, error.problems[0].code, mendable=False)
        return
    yield from rows.files_of(store, workspace, visit)
    yield from rows.dangling(store, visit)
    yield from rows.marks(store, workspace, visit)
    yield from rows.pepper(store, visit)
    used = [release.folder for release in store.releases()]
    store.close()
    yield from files.orphans(workspace, used, visit)
