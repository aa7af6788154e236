"""Which model folders processes of this workspace use now, so that nobody takes them away.

Each says so in a file of its own in `serving/`, and holds a lock beside it, which its death frees.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from tunesmith.core import durable
from tunesmith.core.workspace import Workspace

_FOLDER = "serving"


@contextmanager
def using(workspace: Workspace, folders: Iterable[Path]) -> Iterator[None]:
    """Say that this process uses `folders` while the block lasts.

    Raises:
        TunesmithError: C02 when the system refuses to write.
    """
    models = [str(folder) for folder in folders if folder.absolute().is_relative_to(workspace.root)]
    if not models:
        yield
        return
    name = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    path = workspace.root / _FOLDER / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    # First the lock: what is not held is taken for what a dead process left.
    lock = FileLock(path.with_suffix(".lock"), thread_local=False)  # another thread may let go of it
    lock.acquire()
    try:
        durable.write_json(path, {"process": os.getpid(), "folders": models})
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()
        path.with_suffix(".lock").unlink(missing_ok=True)


def used(workspace: Workspace) -> dict[Path, int]:
    """The folders in use, each with a process that uses it; what the dead left is removed."""
    found: dict[Path, int] = {}
    for path in (workspace.root / _FOLDER).glob("*.json"):
        if _is_held(path.with_suffix(".lock")):
            with suppress(FileNotFoundError):  # it ended just now
                said = json.loads(path.read_text("utf-8"))
                found |= {Path(folder): int(said["process"]) for folder in said["folders"]}
        else:
            path.unlink(missing_ok=True)
            path.with_suffix(".lock").unlink(missing_ok=True)
    return found


def _is_held(path: Path) -> bool:
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
