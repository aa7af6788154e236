"""Begins jobs when it is their turn and notices which have died. It keeps nothing that the store does not.

That is why it may die too: the next one, in whatever server, goes on where it was.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from tunesmith.core import spinning
from tunesmith.core.database import VARIABLE
from tunesmith.core.errors import TunesmithError
from tunesmith.core.store import Job, Store
from tunesmith.core.workspace import Workspace
from tunesmith.studio.jobs import lease
from tunesmith.studio.jobs.wishes import SHORT
from tunesmith.studio.jobs.working import told

logger = logging.getLogger(__name__)

# Of short jobs, and of others.
AT_ONCE = 2
# How many jobs that are over are kept, and for how long: what they made is kept elsewhere.
KEPT, KEPT_DAYS = 1000, 90
_TIDY_S = 3600.0
# How often to look while there are jobs, and while there are none: who asks for one here says so.
_LOOK_S, _IDLE_LOOK_S = 1.0, 5.0
COMMAND = (sys.executable, "-P", "-m", "tunesmith.studio.jobs.working")  # -P: no modules out of this folder


class Supervisor:
    """Looks after the jobs of one workspace, in a thread of its own."""

    def __init__(self, workspace: Workspace, store: Store) -> None:
        self._workspace, self._store = workspace, store
        self._over, self._wanted = threading.Event(), threading.Event()
        self._children: list[subprocess.Popen[bytes]] = []
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._over.clear()
        self._thread = threading.Thread(target=self._watch, name="tunesmith-jobs", daemon=True)
        self._thread.start()

    def look_now(self) -> None:
        """Look without waiting: there is something new."""
        self._wanted.set()

    def close(self) -> None:
        """Look no more. Jobs go on."""
        self._over.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def cancel(self, job: Job) -> bool:
        """Ask a job to end; the second time, end it. False when it is over already."""
        if self._store.change_job(job.id, of="queued", status="cancelled", ended=time.time()):
            return True
        if not self._store.change_job(job.id, of="running", stopping=time.time()):
            return False
        if job.process and job.host == lease.host() and lease.is_held(self._workspace, job.id):
            with suppress(ProcessLookupError):
                if job.stopping:
                    os.killpg(job.process, signal.SIGKILL)
                else:
                    os.kill(job.process, signal.SIGTERM)
        return True

    def look(self) -> bool:
        """One look: who died, and who may begin. Whether there was any job to look after."""
        self._children = [child for child in self._children if child.poll() is None]
        running = [job for job in self._store.jobs(status="running", limit=1000) if self._living(job)]
        waiting = self._store.jobs(status="queued", limit=1000)[::-1]
        for short in (True, False):
            free = AT_ONCE - sum(_is_short(job) == short for job in running)
            for job in [job for job in waiting if _is_short(job) == short][: max(0, free)]:
                self._begin(job)
        return bool(running or waiting)

    def tidy(self) -> None:
        """Forget jobs that have long been over, and their files."""
        before = time.time() - KEPT_DAYS * 24 * 3600
        for identity in self._store.forget_jobs(before=before, kept=KEPT):
            shutil.rmtree(lease.folder(self._workspace, identity), ignore_errors=True)

    def _watch(self) -> None:
        tidied = -_TIDY_S
        while not self._over.is_set():
            busy = True
            try:
                busy = self.look()
                if time.monotonic() - tidied > _TIDY_S:
                    tidied = time.monotonic()
                    self.tidy()
            except Exception:  # a full disk, say: the next look may fare better
                logger.exception("jobs could not be looked after")
            self._wanted.wait(_LOOK_S if busy else _IDLE_LOOK_S)
            self._wanted.clear()

    def _living(self, job: Job) -> bool:
        if not lease.is_lost(self._workspace, job):
            return True
        status = {"status": "cancelled"} if job.stopping else {"status": "failed", "error": _LOST}
        self._store.change_job(job.id, of="running", of_attempt=job.attempt, ended=time.time(), **status)
        return False

    def _begin(self, job: Job) -> None:
        now = time.time()
        mine = {"status": "running", "started": now, "beat": now, "host": lease.host()}
        if not self._store.change_job(job.id, of="queued", of_attempt=job.attempt, **mine):
            return  # another server was quicker
        log = lease.log(self._workspace, job.id)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            child = subprocess.Popen(  # noqa: S603  our own module, our own arguments
                [*COMMAND, job.id, str(job.attempt), str(self._workspace.root)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=self._environment(),
                start_new_session=True,
            )
        self._children.append(child)
        self._store.change_job(job.id, of="running", of_attempt=job.attempt, process=child.pid)

    def _environment(self) -> dict[str, str]:
        store = {VARIABLE: self._workspace.store} if self._workspace.store else {}
        return {**os.environ, **spinning.environment(), **store, "PYTHONUNBUFFERED": "1"}


def _is_short(job: Job) -> bool:
    return job.kind in SHORT


_LOST = told(TunesmithError("W06"))
