"""What store a workspace has, and which it shall have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tunesmith.core import settings
from tunesmith.core.database import FILE, Database, without_password
from tunesmith.core.errors import UsageError
from tunesmith.core.settings import Settings
from tunesmith.core.store import Store, migrating
from tunesmith.core.store.tables import aliases, keys, releases


def describe(database: Database) -> dict[str, Any]:
    """Where a store is, its schema, and how much it holds; of one that does not exist, where it would be."""
    found: dict[str, Any] = {
        "store": database.shown,
        "exists": database.exists(),
        "schema": None,
        "holds": None,
    }
    if not database.exists():
        return found
    store = Store(database)
    with store.backend.reading() as connection:
        found["schema"] = migrating.revision(connection)
        found["holds"] = {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (releases, aliases, keys)
        }
    store.close()
    return found


def use(root: Path, url: str | None) -> Database:
    """Let the workspace in `root` use the store at `url` from now on; None is its own file.

    Raises:
        UsageError: U13 when a password stands in the address, R33 when it is no address.
        TunesmithError: R32 when the server does not answer; nothing is changed then.
    """
    if url is not None and without_password(url) != url:
        raise UsageError("U13")
    found = Database(root / FILE, url)
    if url is not None:
        Store(found).close()
    settings.write(root, Settings(store=url))
    return found
