"""The workspace's store: releases, the aliases that point to them, and API keys.

It is a SQLite file or a PostgreSQL database, and behaves alike in both. Every write is one short transaction,
and of all writers, in whatever process, one at a time has its turn.
"""

from __future__ import annotations

from tunesmith.core.store.keys import Keys
from tunesmith.core.store.records import Key, Release
from tunesmith.core.store.releases import Releases

__all__ = ["Key", "Release", "Store"]


class Store(Releases, Keys):
    """Releases, aliases and keys of one workspace."""
