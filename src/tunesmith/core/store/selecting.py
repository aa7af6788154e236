"""Questions about releases, asked within a transaction."""

from __future__ import annotations

import sqlalchemy as sa

from tunesmith.core.errors import NotFoundError
from tunesmith.core.store.marks import all_tags
from tunesmith.core.store.records import Release
from tunesmith.core.store.tables import aliases, moves, releases

PRODUCTION = "production"
_LONGEST_VERSION = 9


def named(connection: sa.Connection, name: str, version: int) -> Release:
    """One release.

    Raises:
        NotFoundError: C07 when there is none.
    """
    found = select(connection, name, version)
    if not found:
        known = ", ".join(release.label for release in select(connection, name)) or "-"
        raise NotFoundError("C07", name=f"{name}@{version}", known=known)
    return found[0]


def select(connection: sa.Connection, name: str | None = None, version: int | None = None) -> list[Release]:
    """All releases, those of one name, or one of them, by name and version."""
    pointing, wanted = sa.select(aliases), sa.select(releases)
    if name is not None:
        pointing, wanted = pointing.where(aliases.c.name == name), wanted.where(releases.c.name == name)
    if version is not None:
        wanted = wanted.where(releases.c.version == version)
    pointers: dict[tuple[str, int], list[str]] = {}
    for owner, alias, at in connection.execute(pointing):
        pointers.setdefault((owner, at), []).append(alias)
    label = None if name is None or version is None else f"{name}@{version}"
    tagged = all_tags(connection, "release", label)
    return [
        Release(
            **row,
            aliases=tuple(sorted(pointers.get((row["name"], row["version"]), []))),
            tags=tagged.get(f"{row['name']}@{row['version']}", ()),
        )
        for row in connection.execute(wanted.order_by(releases.c.name, releases.c.version)).mappings()
    ]


def meant(connection: sa.Connection, label: str) -> Release | None:
    """What `name@version`, `name@alias` or `name` (its production, else its newest) stands for."""
    name, _, which = label.partition("@")
    version = _numbered(which) or pointed(connection, name, which or PRODUCTION)
    if version is None and not which:
        newest = sa.select(sa.func.max(releases.c.version)).where(releases.c.name == name)
        version = connection.execute(newest).scalar()
    found = select(connection, name, version) if version is not None else []
    return found[0] if found else None


def _numbered(which: str) -> int | None:
    fits = which.isascii() and which.isdecimal() and len(which) <= _LONGEST_VERSION
    return int(which) if fits and str(int(which)) == which else None


def pointed(connection: sa.Connection, name: str, alias: str) -> int | None:
    """The version that an alias points to."""
    here = (aliases.c.name == name) & (aliases.c.alias == alias)
    found: int | None = connection.execute(sa.select(aliases.c.version).where(here)).scalar()
    return found


def next_version(connection: sa.Connection, name: str) -> int:
    """The number of the next release. A removed one's stays taken while an alias can be rolled back to it."""
    used = sa.union_all(
        sa.select(releases.c.version).where(releases.c.name == name),
        sa.select(moves.c.version).where(moves.c.name == name),
    ).subquery()
    newest = sa.select(sa.func.coalesce(sa.func.max(used.c.version), 0))
    return int(connection.execute(newest).scalar_one()) + 1
