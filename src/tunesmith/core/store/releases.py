"""Releases and the aliases that point to them. Aliases move by compare-and-swap, and each move is kept."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tunesmith.core.errors import NotFoundError, TunesmithError
from tunesmith.core.store import marks, selecting
from tunesmith.core.store.opened import Opened
from tunesmith.core.store.records import Move, Release
from tunesmith.core.store.tables import aliases, moves, releases


class Releases(Opened):
    """What was published, and what is said to be in use."""

    def publish(self, name: str, *, digest: str, folder: Path, task: str, lineage: dict[str, Any]) -> Release:
        """Register a model folder under `name`; the same content keeps its version.

        What a run says of it replaces what was known.
        """
        same = (releases.c.name == name) & (releases.c.digest == digest)
        with self.backend.writing() as connection:
            version = connection.execute(sa.select(releases.c.version).where(same)).scalar()
            if version is None:
                version = selecting.next_version(connection, name)
                connection.execute(
                    releases.insert().values(
                        name=name, version=version, digest=digest, folder=str(folder), task=task,
                        lineage=lineage, created=time.time(),
                    )
                )  # fmt: skip
            elif "run" in lineage:
                here = (releases.c.name == name) & (releases.c.version == version)
                connection.execute(releases.update().where(here).values(lineage=lineage))
            return selecting.named(connection, name, version)

    def releases(self) -> list[Release]:
        """All releases by name and version."""
        with self.backend.reading() as connection:
            return selecting.select(connection)

    def find(self, label: str) -> Release | None:
        """The release `name@version`, `name@alias`, or `name`: its production, else its newest version."""
        with self.backend.reading() as connection:
            return selecting.meant(connection, label)

    def release(self, label: str) -> Release:
        """As `find`.

        Raises:
            NotFoundError: C07 when there is none.
        """
        found = self.find(label)
        if found is None:
            known = ", ".join(release.label for release in self.releases()) or "-"
            raise NotFoundError("C07", name=label, known=known)
        return found

    def move(self, name: str, alias: str, version: int, *, expected: int | None, reason: str) -> Release:
        """Point `alias` to `version` if it still points to `expected`.

        Raises:
            NotFoundError: C07 when the version does not exist.
            TunesmithError: C08 when someone else moved the alias meanwhile.
        """
        here = (aliases.c.name == name) & (aliases.c.alias == alias)
        with self.backend.writing() as connection:
            selecting.named(connection, name, version)
            found = selecting.pointed(connection, name, alias)
            if found != expected:
                raise TunesmithError("C08", name=name, alias=alias, expected=expected, found=found)
            if found is None:
                connection.execute(aliases.insert().values(name=name, alias=alias, version=version))
            else:
                connection.execute(aliases.update().where(here).values(version=version))
            if found != version:
                connection.execute(
                    moves.insert().values(
                        name=name, alias=alias, version=version, previous=found, reason=reason,
                        moved=time.time(),
                    )
                )  # fmt: skip
            return selecting.named(connection, name, version)

    def alias_version(self, name: str, alias: str) -> int | None:
        """The version an alias points to."""
        with self.backend.reading() as connection:
            return selecting.pointed(connection, name, alias)

    def rollback(self, name: str, alias: str, *, reason: str) -> Release:
        """Point `alias` to where it was before its last move.

        Raises:
            TunesmithError: C09 when it was never moved from another version.
        """
        here = (moves.c.name == name) & (moves.c.alias == alias)
        current = self.alias_version(name, alias)
        with self.backend.reading() as connection:
            previous = connection.execute(
                sa.select(moves.c.previous)
                .where(here, moves.c.version == current, moves.c.previous.is_not(None))
                .order_by(moves.c.id.desc())
                .limit(1)
            ).scalar()
        if previous is None:
            raise TunesmithError("C09", name=name, alias=alias)
        return self.move(name, alias, previous, expected=current, reason=reason)

    def history(self, name: str, alias: str | None = None) -> list[Move]:
        """How the aliases of a name, or one of them, were moved, oldest first."""
        mine = moves.c.name == name if alias is None else (moves.c.name == name) & (moves.c.alias == alias)
        columns = [column for column in moves.c if column.name != "id"]
        with self.backend.reading() as connection:
            rows = connection.execute(sa.select(*columns).where(mine).order_by(moves.c.id))
            return [Move(**row) for row in rows.mappings()]

    def remove(self, release: Release) -> None:
        """Forget a release with its tags and notes; its files are the caller's.

        Raises:
            TunesmithError: C13 while an alias points to it.
        """
        here = (aliases.c.name == release.name) & (aliases.c.version == release.version)
        with self.backend.writing() as connection:
            pointing = connection.execute(sa.select(aliases.c.alias).where(here)).scalars().all()
            if pointing:
                raise TunesmithError("C13", name=release.label, aliases=", ".join(pointing))
            mine = (releases.c.name == release.name) & (releases.c.version == release.version)
            connection.execute(releases.delete().where(mine))
            marks.forget(connection, "release", release.label)
