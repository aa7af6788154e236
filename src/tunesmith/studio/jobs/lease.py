"""The folder of a job, and the lock that its process holds: the system frees it when the process dies."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from tunesmith.core.store import Job
from tunesmith.core.workspace import Workspace

# How long a process may take until it holds its lock, and how long one of another machine may be silent.
STARTS_S = 60.0
SILENT_S = 60.0


def folder(workspace: Workspace, identity: str) -> Path:
    """Where a job keeps its files."""
    return workspace.root / "jobs" / identity


def log(workspace: Workspace, identity: str) -> Path:
    """What the job's process printed."""
    return folder(workspace, identity) / "log.txt"


def lock(workspace: Workspace, identity: str) -> FileLock:
    """The lock that the job's process holds."""
    return FileLock(folder(workspace, identity) / ".lock")


def host() -> str:
    """The name of this machine."""
    return socket.gethostname()[:256]


def is_held(workspace: Workspace, identity: str) -> bool:
    """Whether the job's process lives, on this machine."""
    held = lock(workspace, identity)
    if not Path(held.lock_file).exists():
        return False
    try:
        held.acquire(timeout=0)
    except Timeout:
        return True
    held.release()
    return False


def is_lost(workspace: Workspace, job: Job) -> bool:
    """Whether a job that is said to run has no process any more."""
    now = time.time()
    if job.host != host():
        return now - (job.beat or 0) > SILENT_S
    if is_held(workspace, job.id):
        return False
    starting = now - (job.started or 0) < STARTS_S
    return not (starting and (job.process is None or _lives(job.process)))


def _lives(process: int) -> bool:
    """Whether there is such a process and it is not one that ended and was not asked how."""
    with suppress(OSError):
        state = Path(f"/proc/{process}/stat").read_text("ascii", errors="replace").rpartition(") ")[2]
        return not state.startswith("Z")
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True
