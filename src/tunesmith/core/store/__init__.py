"""The workspace's store: releases, aliases, tags, notes, API keys, sessions, jobs, and labelling projects.

It is a SQLite file or a PostgreSQL database, and behaves alike in both. Every write is one short transaction,
and of all writers, in whatever process, one at a time has its turn.
"""

from __future__ import annotations

from tunesmith.core.store.jobs import Jobs
from tunesmith.core.store.labelling import Labelling
from tunesmith.core.store.marks import Marks
from tunesmith.core.store.records import Job, Key, Move, Note, Release, Session, Used
from tunesmith.core.store.releases import Releases
from tunesmith.core.store.sessions import Sessions
from tunesmith.core.store.usage import Usages

__all__ = ["Job", "Key", "Move", "Note", "Release", "Session", "Store", "Used"]


class Store(Releases, Marks, Sessions, Jobs, Labelling, Usages):
    """Releases, aliases, tags, notes, keys and their use, sessions, jobs, labelling of one workspace."""
