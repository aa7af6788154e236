"""The process of a job: it takes the lease, does the work, says that it lives, and writes what came of it.

It is started by a server, but nothing ties it to one: whoever opens the store sees how it is.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from tunesmith.core import text
from tunesmith.core.errors import Problem, StoppedError, TunesmithError
from tunesmith.core.store import Job, Store
from tunesmith.core.workspace import Workspace
from tunesmith.studio.jobs import lease
from tunesmith.studio.jobs.context import Context

_BEAT_S = 2.0
_QUIET_BEAT_S = 15.0
_TRACE = 4000


class _Interrupted(BaseException):
    """Somebody asked work to end that does not ask by itself."""


class _Worker:
    def __init__(self, job: Job, workspace: Workspace, store: Store) -> None:
        self._job, self._store = job, store
        self._stopping = threading.Event()
        self._over = threading.Event()
        self.context = Context(
            workspace=workspace,
            folder=lease.folder(workspace, job.id),
            lang=job.arguments.get("lang", "en"),
            by=job.by,
            stop=self._stopping.is_set,
        )

    def work(self) -> None:
        """Do the job, whatever comes of it."""
        signal.signal(signal.SIGTERM, self._on_signal)
        beating = threading.Thread(target=self._beat, name="tunesmith-beat", daemon=True)
        beating.start()
        outcome = self._outcome()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._over.set()
        beating.join()
        self._change(ended=time.time(), subject=self.context.subject, **outcome)

    def _change(self, **values: Any) -> bool:
        """Write how the job is; False when it is no longer ours: it was given up, or begun again."""
        return self._store.change_job(self._job.id, of="running", of_attempt=self._job.attempt, **values)

    def _outcome(self) -> dict[str, Any]:
        from tunesmith.core.registry import load_object
        from tunesmith.studio.jobs.wishes import WORK

        try:
            if self._is_to_stop():
                return {"status": "cancelled"}
            work = load_object(WORK[self._job.kind])
            result = work(self._job.arguments["wishes"], self.context)
        except (StoppedError, _Interrupted):
            return {"status": "cancelled"}
        except TunesmithError as error:
            return {"status": "failed", "error": told(error)}
        except Exception as error:
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}"[:_TRACE]
            return {"status": "failed", "error": told(TunesmithError("W07", reason=reason))}
        return {"status": "finished", "result": result, "progress": 1.0}

    def _is_to_stop(self) -> bool:
        """Whether somebody asked the job to end, who perhaps found no process yet to tell."""
        return self._store.job(self._job.id).stopping is not None

    def _on_signal(self, _number: int, _frame: object) -> None:
        again = self._stopping.is_set()
        self._stopping.set()
        if again or not self.context.asks_to_stop:
            raise _Interrupted

    def _beat(self) -> None:
        """Say every now and then that we live and how far we are; hear whether to stop."""
        told: tuple[float | None, str | None] = (None, None)
        last = time.monotonic()
        while not self._over.wait(_BEAT_S):
            now = (self.context.progress, self.context.subject)
            if now == told and time.monotonic() - last < _QUIET_BEAT_S:
                continue
            told, last = now, time.monotonic()
            ours = self._change(beat=time.time(), progress=now[0], subject=now[1])
            if (not ours or self._is_to_stop()) and not self._stopping.is_set():
                os.kill(os.getpid(), signal.SIGTERM)  # work that does not ask by itself is interrupted


def told(error: TunesmithError) -> dict[str, Any]:
    """An error in every language: who reads it is not known yet."""
    return {lang: [_plain(problem, lang) for problem in error.problems[:20]] for lang in text.LANGUAGES}


def _plain(problem: Problem, lang: str) -> dict[str, Any]:
    return problem.as_dict(lang)


def main() -> int:
    """Do the job that is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job")
    parser.add_argument("attempt", type=int)
    parser.add_argument("workspace", type=Path)
    given = parser.parse_args()
    workspace = Workspace(given.workspace)
    with lease.lock(workspace, given.job).acquire(timeout=5):
        store = Store(workspace.database)
        job = store.job(given.job)
        if job.status == "running" and job.attempt == given.attempt:
            _Worker(job, workspace, store).work()
    return 0


if __name__ == "__main__":
    sys.exit(main())
