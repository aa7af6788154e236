"""All rows of a store as plain values, and back; the same in every database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import sqlalchemy as sa

from tunesmith.core.store.tables import metadata

Rows: TypeAlias = list[dict[str, Any]]


def read(connection: sa.Connection) -> dict[str, Rows]:
    """The rows of every table in the order in which they were written."""
    return {
        table.name: [
            dict(row)
            for row in connection.execute(sa.select(*_kept(table)).order_by(*table.primary_key)).mappings()
        ]
        for table in metadata.sorted_tables
    }


def replace(connection: sa.Connection, tables: Mapping[str, Rows]) -> None:
    """Let the store hold these rows and no others."""
    for table in metadata.sorted_tables:
        connection.execute(table.delete())
        if rows := tables.get(table.name):
            known = {column.name for column in _kept(table)}
            connection.execute(table.insert(), [{n: row[n] for n in known & row.keys()} for row in rows])


def is_empty(connection: sa.Connection) -> bool:
    """Whether there is no row at all."""
    counts = (connection.execute(sa.select(sa.func.count()).select_from(t)) for t in metadata.sorted_tables)
    return all(count.scalar_one() == 0 for count in counts)


def _kept(table: sa.Table) -> list[sa.Column[Any]]:
    # A number that the database gives by itself is given anew: it has its own idea of the next.
    return [column for column in table.c if column.autoincrement is not True]
