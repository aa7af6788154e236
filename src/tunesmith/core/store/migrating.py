"""Bringing a database to the newest schema: once, whoever opens it first, and never back."""

from __future__ import annotations

from importlib.resources import files

import sqlalchemy as sa

from tunesmith.core.errors import TunesmithError
from tunesmith.core.store.backend import Backend

_PLACE = "tunesmith.core.migrations"
_revision = sa.table("alembic_version", sa.column("version_num"))


def known() -> list[str]:
    """The numbers of all migrations, oldest first."""
    names = (file.name for file in files(_PLACE).joinpath("versions").iterdir())
    return sorted(name[:4] for name in names if name[0].isdigit())


def upgrade(backend: Backend, shown: str) -> None:
    """Carry out what is missing, all of it or nothing; a copy of what was there before is kept aside.

    Raises:
        TunesmithError: R35 when a newer Tunesmith wrote the database.
    """
    steps = known()
    if backend.is_ready():
        with backend.reading() as connection:
            if revision(connection) == steps[-1]:
                return
    with backend.writing() as connection:
        found = revision(connection)
        if found == steps[-1]:
            return
        if found is not None and found not in steps:
            raise TunesmithError("R35", store=shown, found=found, known=steps[-1])
        if found is not None:
            backend.copy_aside(f"store.before-{steps[-1]}.sqlite")
        to(connection, "head")


def revision(connection: sa.Connection) -> str | None:
    """The number of the newest migration that was carried out; None in a database that holds nothing."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(sa.select(_revision.c.version_num)).scalar()
    return found


def to(connection: sa.Connection, target: str) -> None:
    """Migrate to `target` in the transaction of `connection`."""
    # It takes longer to import than most commands take.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "tunesmith.core:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, target)
