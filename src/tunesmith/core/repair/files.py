"""Files of a workspace: what interrupted writes left, models without a release, locks of the dead."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tunesmith.core import durable
from tunesmith.core.errors import ModelError
from tunesmith.core.repair.finding import Finding, Visit, lost
from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace

_FOLDERS = ("", "runs", "models", "cache", "hosted")


def leftovers(workspace: Workspace, visit: Visit) -> Iterator[Finding]:
    """What killed processes were writing; a folder that was complete takes its place."""
    folders = [workspace.root / name for name in _FOLDERS]
    runs = [path for path in _listed(workspace.runs) if path.is_dir()]
    for folder in (*folders, *runs, *(run / "checkpoints" for run in runs)):
        left = durable.abandoned(folder)
        mended = durable.sweep(folder) if visit.mend else []
        for path in mended:
            yield visit.found("replaced", path)
        for path in left[len(mended) :]:
            yield visit.found("leftover", path)


def orphans(workspace: Workspace, used: Iterable[str], visit: Visit) -> Iterator[Finding]:
    """Model folders that no release names; they are put aside whole."""
    known = {Path(folder).absolute() for folder in used}
    for path in _listed(workspace.models):
        if path.name.startswith(".") or path.absolute() in known or _is_young(path, visit):
            continue
        yield visit.found("orphan", path, _put_aside(workspace, path, visit))


def caches(workspace: Workspace, visit: Visit) -> Iterator[Finding]:
    """Cached stages that are not what was written: they are made again when they are needed."""
    for path in _listed(workspace.cache):
        # Folders of stages are called STAGE-KEY; other parts of the cache keep their own order.
        if not path.is_dir() or "-" not in path.name or path.name.startswith("."):
            continue
        if not is_whole(path) and not _is_young(path, visit):
            yield visit.found("cache", path, _put_aside(workspace, path, visit))


def runs(workspace: Workspace, visit: Visit) -> Iterator[Finding]:
    """Signs of owners that are gone, and runs that were cut off before they wrote what they were to do."""
    for path in _listed(workspace.runs):
        run = RunFolder(path)
        if not path.is_dir() or path.name.startswith(".") or run.owner() is not None:
            continue
        if (sign := path / ".owner").exists():
            if visit.mend:
                sign.unlink(missing_ok=True)
            yield visit.found("lock", sign)
        if not run.recipe.exists() and not _is_young(path, visit):
            yield visit.found("unfinished", path, _put_aside(workspace, path, visit))


def _put_aside(workspace: Workspace, path: Path, visit: Visit) -> Path:
    target = lost(workspace.root, path)
    if visit.mend:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(path, target)
    return target


def is_whole(folder: Path) -> bool:
    """Whether all files are there with their sizes; `models verify` reads them too."""
    try:
        files = durable.manifest_files(folder)
        return all((folder / name).stat().st_size == entry["size"] for name, entry in files.items())
    except (ModelError, OSError, KeyError):
        return False


def _is_young(path: Path, visit: Visit) -> bool:
    return time.time() - path.stat().st_mtime < visit.grace_s


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
