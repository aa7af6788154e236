"""Jobs: what is to be done, who does it, and what came of it. How a process does one is not known here.

Every change is one transaction that says which state it starts from, so of two servers that would begin a job
only one does.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from tunesmith.core.errors import NotFoundError
from tunesmith.core.store.opened import Opened
from tunesmith.core.store.records import OVER, Job
from tunesmith.core.store.tables import jobs

_ANEW: dict[str, Any] = dict.fromkeys(
    ("started", "ended", "host", "process", "beat", "stopping", "progress", "result", "error")
)
_AT_ONCE = 500


class Jobs(Opened):
    """The jobs of a workspace."""

    def add_job(self, kind: str, title: str, arguments: Mapping[str, Any], *, by: str = "") -> Job:
        """A new job that waits for its turn."""
        values = {
            "id": f"{int(time.time()):x}-{secrets.token_hex(4)}", "kind": kind, "title": title[:256],
            "arguments": dict(arguments), "by": by[:64], "status": "queued", "attempt": 1,
            "created": time.time(), "subject": None, **_ANEW,
        }  # fmt: skip
        with self.backend.writing() as connection:
            values["revision"] = _next(connection)
            connection.execute(jobs.insert().values(**values))
        return Job(**values)

    def job(self, identity: str) -> Job:
        """The job with this id.

        Raises:
            NotFoundError: W05 when there is none.
        """
        with self.backend.reading() as connection:
            row = connection.execute(sa.select(jobs).where(jobs.c.id == identity)).mappings().first()
        if row is None:
            raise NotFoundError("W05", id=identity)
        return Job(**row)

    def jobs(self, *, status: str | None = None, after: str | None = None, limit: int = 100) -> list[Job]:
        """Jobs, newest first; only those older than the job `after`, if it is named.

        Raises:
            NotFoundError: W05 when there is no such job.
        """
        wanted = sa.select(jobs).order_by(jobs.c.created.desc(), jobs.c.id.desc()).limit(limit)
        if after is not None:
            place = sa.tuple_(jobs.c.created, jobs.c.id)
            wanted = wanted.where(place < sa.tuple_(self.job(after).created, after))
        if status is not None:
            wanted = wanted.where(jobs.c.status == status)
        with self.backend.reading() as connection:
            return [Job(**row) for row in connection.execute(wanted).mappings()]

    def forget_jobs(self, *, before: float, kept: int) -> list[str]:
        """Remove jobs that are over and ended before a time, or are not among the `kept` newest.

        Returns their ids, not more than a few hundred at once. The job that changed last stays: the next
        revision is counted from its own.
        """
        over = jobs.c.status.in_(OVER)
        newest = sa.select(jobs.c.id).where(over).order_by(jobs.c.created.desc()).limit(kept)
        old = (jobs.c.ended < before) | jobs.c.id.not_in(newest)
        last = sa.select(sa.func.max(jobs.c.revision)).scalar_subquery()
        wanted = sa.select(jobs.c.id).where(over, old, jobs.c.revision < last).limit(_AT_ONCE)
        with self.backend.writing() as connection:
            found = list(connection.execute(wanted).scalars())
            connection.execute(jobs.delete().where(jobs.c.id.in_(found)))
        return found

    def jobs_after(self, revision: int, limit: int = 100) -> list[Job]:
        """Jobs that changed after `revision`, in the order of their changes."""
        wanted = sa.select(jobs).where(jobs.c.revision > revision).order_by(jobs.c.revision).limit(limit)
        with self.backend.reading() as connection:
            return [Job(**row) for row in connection.execute(wanted).mappings()]

    def jobs_revision(self) -> int:
        """The number of the latest change."""
        with self.backend.reading() as connection:
            return _latest(connection)

    def change_job(
        self, identity: str, *, of: str | tuple[str, ...], of_attempt: int | None = None, **values: Any
    ) -> bool:
        """Change a job whose status is `of`, or one of them; False, and no change, when it is not.

        With `of_attempt`, only while that is the one: a process that was given up speaks for nobody.
        """
        states = (of,) if isinstance(of, str) else of
        mine = (jobs.c.id == identity) & jobs.c.status.in_(states)
        if of_attempt is not None:
            mine &= jobs.c.attempt == of_attempt
        with self.backend.writing() as connection:
            change = jobs.update().where(mine).values(**values, revision=_next(connection))
            return connection.execute(change).rowcount == 1

    def retry_job(self, identity: str) -> bool:
        """Let a job that failed or was cancelled wait for its turn again."""
        again = {**_ANEW, "status": "queued", "attempt": jobs.c.attempt + 1}
        return self.change_job(identity, of=("failed", "cancelled"), **again)


def _latest(connection: sa.Connection) -> int:
    return connection.execute(sa.select(sa.func.max(jobs.c.revision))).scalar() or 0


def _next(connection: sa.Connection) -> int:
    return _latest(connection) + 1
