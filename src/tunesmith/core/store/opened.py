"""A store that is open, whatever it holds."""

from __future__ import annotations

import weakref
from pathlib import Path

from tunesmith.core.database import Database
from tunesmith.core.store import migrating
from tunesmith.core.store.backend import Backend
from tunesmith.core.store.postgresql import Postgresql
from tunesmith.core.store.sqlite import Sqlite


class Opened:
    """A connection to the store of one workspace. Opening it brings the schema up to date."""

    def __init__(self, database: Database | Path) -> None:
        self.database = database if isinstance(database, Database) else Database(database)
        self.backend: Backend = (
            Sqlite(self.database.path) if self.database.url is None else Postgresql(self.database)
        )
        # Who asks one question does not have to remember to close.
        weakref.finalize(self, self.backend.close)
        migrating.upgrade(self.backend, self.database.shown)

    def close(self) -> None:
        """Give the connections back."""
        self.backend.close()
