"""A damaged SQLite file: it is put aside, and what can be read of it goes into a new one."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tunesmith.core.database import Database
from tunesmith.core.errors import TunesmithError
from tunesmith.core.store import Store
from tunesmith.core.store.sqlite import is_refusal, turn
from tunesmith.core.store.tables import metadata


def damage(path: Path) -> str | None:
    """What SQLite finds wrong with the file, in its words; None where it is sound or may not be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
    except sqlite3.DatabaseError as error:
        return None if is_refusal(error) else str(error)
    return None if found == ["ok"] else "; ".join(found)


def salvage(path: Path) -> tuple[Path, int]:
    """Put the damaged file aside and save its rows; returns where it is now, and how many were saved."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}")
    with turn(path):
        for ending in ("", "-wal", "-shm"):
            if (part := path.with_name(path.name + ending)).exists():
                os.rename(part, aside.with_name(aside.name + ending))
    store = Store(Database(path))
    saved = sum(_save(store, table, aside) for table in metadata.sorted_tables)
    store.close()
    return aside, saved


def _save(store: Store, table: sa.Table, source: Path) -> int:
    saved = 0
    for row in _rows(source, table):
        try:
            with store.backend.writing() as connection:
                connection.execute(table.insert().values(**row))
            saved += 1
        except (sa.exc.SQLAlchemyError, TunesmithError):
            continue  # half a row, or one that is there twice
    return saved


def _rows(source: Path, table: sa.Table) -> Iterator[dict[str, Any]]:
    """The rows of a table up to the first that cannot be read."""
    engine = sa.create_engine(f"sqlite:///{source}")
    try:
        with engine.connect() as connection:
            for row in connection.execute(sa.select(table)).mappings():
                yield dict(row)
    except (sa.exc.SQLAlchemyError, sqlite3.Error, ValueError):
        return
    finally:
        engine.dispose()
