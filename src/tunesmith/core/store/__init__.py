"""The workspace's store: releases, aliases, tags, notes, and API keys.

It is a SQLite file or a PostgreSQL database, and behaves alike in both. Every write is one short transaction,
and of all writers, in whatever process, one at a time has its turn.
"""

from __future__ import annotations

from tunesmith.core.store.keys import Keys
from tunesmith.core.store.marks import Marks
from tunesmith.core.store.records import Key, Move, Note, Release
from tunesmith.core.store.releases import Releases

__all__ = ["Key", "Move", "Note", "Release", "Store"]


class Store(Releases, Marks, Keys):
    """Releases with their aliases, tags and notes, and the keys of one workspace."""
