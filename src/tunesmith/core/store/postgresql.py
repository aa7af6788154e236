"""The store in a PostgreSQL database, where writers take turns by one advisory lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from tunesmith.core.database import Database, for_psycopg, is_postgresql
from tunesmith.core.errors import MissingError, TunesmithError, UsageError
from tunesmith.core.store.backend import PATIENCE_S, settings

# "tunesmit" in ASCII: a number that nobody else in the database is likely to lock.
_TURN = 0x74756E65736D6974
_CONNECT_S = 10
_BUSY, _FORBIDDEN = "55P03", "42501"
_WAIT = sa.select(sa.func.set_config("lock_timeout", str(int(PATIENCE_S * 1000)), sa.true()))


class Postgresql:
    """A store on a server."""

    def __init__(self, database: Database) -> None:
        self._shown = database.shown
        self._engine = _engine(database)
        # A view of one moment to read from; a writer must see what was written until its turn came.
        self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ")

    def is_ready(self) -> bool:
        """See `Backend`."""
        return True

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """See `Backend`."""
        with self._told(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """See `Backend`."""
        with self._told(), self._engine.begin() as connection:
            connection.execute(_WAIT)
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_TURN)))
            yield connection

    def copy_aside(self, name: str) -> None:
        """Nothing: a server has backups of its own."""

    def close(self) -> None:
        """See `Backend`."""
        self._engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            if state == _BUSY:
                raise TunesmithError("R30", store=self._shown, seconds=int(PATIENCE_S)) from error
            lost = isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)
            if not lost and state != _FORBIDDEN:
                raise
            reason = next(iter(str(error.orig).strip().splitlines()), "")
            raise TunesmithError("R32", store=self._shown, reason=reason) from error


def _engine(database: Database) -> sa.Engine:
    """An engine for the address.

    Raises:
        UsageError: R33 when it is not one.
        MissingError: M03 when the driver is not installed.
    """
    url = database.url or ""
    try:
        if not is_postgresql(url):
            raise ValueError(url)
        address = sa.make_url(for_psycopg(url))
    except (sa.exc.ArgumentError, ValueError) as error:
        raise UsageError("R33", store=database.shown) from error
    given = {"connect_timeout": _CONNECT_S, "application_name": "tunesmith"}
    try:
        return sa.create_engine(address, connect_args=given, pool_pre_ping=True, **settings())
    except ImportError as error:
        name = "a store on PostgreSQL"
        raise MissingError("M03", name=name, package="psycopg", extra="postgresql") from error
