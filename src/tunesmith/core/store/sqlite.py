"""The store in a SQLite file: WAL, full syncing, and one writer at a time over all processes.

SQLite itself lets only one connection write, but those who wait poll without order and in the end fail with
"database is locked". Here they wait for a file lock first, threads of one process in the order in which they
came: where all poll, who just gave the lock back is mostly the next. It also keeps two connections from
writing and resetting the log at the same instant, which damages files in SQLite before 3.51.3.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy import event

from tunesmith.core import durable
from tunesmith.core.errors import TunesmithError
from tunesmith.core.store.backend import PATIENCE_S, settings

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_REFUSED = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}
_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF")
_POLL_S = 0.004


class Sqlite:
    """A store in the file `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = sa.create_engine(f"sqlite:///{path}", **settings())
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(writing=True)

    def is_ready(self) -> bool:
        """See `Backend`."""
        # Asked of SQLite and not of the file: who closes a file frees all locks that its process has on it,
        # those of open connections too, and the next process to leave takes the log from under them.
        address = f"{self.path.absolute().as_uri()}?mode=rw"
        try:
            with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE_S)) as connection:
                return bool(connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal")
        except sqlite3.Error:
            return False

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """See `Backend`."""
        with _told(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """See `Backend`."""
        with turn(self.path), _told(self.path), self._writer.begin() as connection:
            yield connection

    def copy_aside(self, name: str) -> None:
        """A copy beside the file. Connections that write do not disturb it."""
        copy(self.path, self.path.with_name(name))

    def close(self) -> None:
        """See `Backend`."""
        self._engine.dispose()


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """Be the one who may write to the file `path`.

    Raises:
        TunesmithError: R30 when others have been writing for a minute.
    """
    lock = FileLock(path.with_name("store.lock"), poll_interval=_POLL_S)
    end = time.monotonic() + PATIENCE_S
    with _line_for(path.absolute()).place(PATIENCE_S) as is_first:
        try:
            lock.acquire(timeout=max(0.0, end - time.monotonic()) if is_first else 0)
        except Timeout as error:
            raise TunesmithError("R30", store=path, seconds=int(PATIENCE_S)) from error
        except OSError as error:
            raise _refusal(path, error.strerror or str(error)) from error
        try:
            yield
        finally:
            lock.release()


class _Line:
    """Threads that wait for the same thing, one behind the other."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._places: deque[threading.Event] = deque()

    @contextmanager
    def place(self, patience_s: float) -> Iterator[bool]:
        """Stand in line until one is the first, and leave it at the end; False when that took too long."""
        own = threading.Event()
        with self._guard:
            self._places.append(own)
            self._places[0].set()
        try:
            yield own.wait(patience_s)
        finally:
            with self._guard:
                self._places.remove(own)
                if self._places:
                    self._places[0].set()


@lru_cache(maxsize=64)
def _line_for(path: Path) -> _Line:
    """The line before a file; that one may be forgotten costs order alone, since there is the lock."""
    return _Line()


def copy(path: Path, target: Path) -> None:
    """Copy a database as it is at one moment, while others write to it."""
    with durable.new_file(target) as temporary, _told(path):
        address = f"{path.absolute().as_uri()}?mode=ro"
        reading = sqlite3.connect(address, uri=True, timeout=PATIENCE_S)
        with closing(reading) as source, closing(sqlite3.connect(temporary)) as made:
            source.backup(made)
        os.chmod(temporary, 0o600)


def is_refusal(error: sqlite3.Error) -> bool:
    """Whether others are writing, or the system refuses: that says nothing about the file."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY | _REFUSED


def _configure(connection: Any, _record: Any) -> None:
    # pysqlite must not begin transactions by itself: `_begin` does.
    connection.isolation_level = None
    # Waiting comes first, since the others may have to.
    connection.execute(f"PRAGMA busy_timeout={int(PATIENCE_S * 1000)}")
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    # Only a new database is changed, which needs it alone: the store opens it in its turn.
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode=WAL")


def _begin(connection: sa.Connection) -> None:
    # A writer takes its lock at once: one that first reads could find that another wrote meanwhile, and fail.
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what SQLite says into an error that says what to do."""
    try:
        yield
    except (sqlite3.Error, sa.exc.DBAPIError) as error:
        found = getattr(error, "orig", error)
        number = getattr(found, "sqlite_errorcode", 0) & 0xFF
        if number in _BUSY:
            raise TunesmithError("R30", store=path, seconds=int(PATIENCE_S)) from error
        if number in _DAMAGED:
            raise TunesmithError("R31", file=path, reason=str(found)) from error
        if number in _REFUSED:
            raise _refusal(path, str(found)) from error
        raise


def _refusal(path: Path, reason: str) -> TunesmithError:
    free = shutil.disk_usage(path.parent).free // 2**20 if path.parent.exists() else 0
    return TunesmithError("C02", file=path, reason=reason, free_mb=free)
