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
from tunesmith.core.store.records import Job
from tunesmith.core.store.tables import jobs

_ANEW: dict[str, Any] = dict.fromkeys(
    ("started", "ended", "host", "process", "beat", "stopping", "progress", "result", "error")
)


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

    def jobs(self, *, status: str | None = None, offset: int = 0, limit: int = 100) -> list[Job]:
        """Jobs, newest first."""
        wanted = sa.select(jobs).order_by(jobs.c.created.desc(), jobs.c.id.desc()).offset(offset).limit(limit)
        if status is not None:
            wanted = wanted.where(jobs.c.status == status)
        with self.backend.reading() as connection:
            return [Job(**row) for row in connection.execute(wanted).mappings()]

    def jobs_after(self, revision: int, limit: int = 100) -> list[Job]:
        """Jobs that changed after `revision`, in the order of their changes."""
        wanted = sa.select(jobs).where(jobs.c.revision > revision).order_by(jobs.c.revision).limit(limit)
        with self.backend.reading() as connection:
            return [Job(**row) for row in connection.execute(wanted).mappings()]

    def jobs_revision(self) -> int:
        """The number of the latest change."""
        with self.backend.reading() as connection:
            return _latest(connection)

    def change_job(self, identity: str, *, of: str | tuple[str, ...], **values: Any) -> bool:
        """Change a job whose status is `of`, or one of them; False, and no change, when it is not."""
        states = (of,) if isinstance(of, str) else of
        mine = (jobs.c.id == identity) & jobs.c.status.in_(states)
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
