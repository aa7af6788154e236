"""The workspace's database: releases, the aliases that point to them, and API keys.

SQLite in WAL mode with full syncing; every write is one short transaction. Aliases move by compare-and-swap,
and each move is kept, so that a rollback is one more move. Keys are stored as HMAC-SHA256 under a pepper that
lives in a file only its owner can read.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from tunesmith.core import durable
from tunesmith.core.errors import NotFoundError, TunesmithError

metadata = sa.MetaData()
releases = sa.Table(
    "releases",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("folder", sa.Text, nullable=False),
    sa.Column("task", sa.String(64), nullable=False),
    sa.Column("lineage", sa.JSON, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)
moves = sa.Table(
    "alias_moves",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(64), nullable=False, index=True),
    sa.Column("alias", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("previous", sa.Integer),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("moved", sa.Float, nullable=False),
)
aliases = sa.Table(
    "aliases",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("alias", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)
keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("mac", sa.String(64), nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("revoked", sa.Float),
)

KEY_PREFIX = "tsk"
_PEPPER_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A registered version of a model: what it is, where it lies, and where it came from."""

    name: str
    version: int
    digest: str
    folder: str
    task: str
    lineage: dict[str, Any]
    created: float
    aliases: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key, without its secret."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created: float
    revoked: float | None


class Store:
    """Releases, aliases and keys of one workspace. Opening it brings the schema up to date."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = sa.create_engine(f"sqlite:///{path}")
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "begin", _begin)
        self._writing = self._engine.execution_options(writing=True)
        _migrate(self._writing)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    # Releases

    def publish(self, name: str, *, digest: str, folder: Path, task: str, lineage: dict[str, Any]) -> Release:
        """Register a model folder under `name`; the same content keeps its version."""
        with self._writing.begin() as connection:
            mine = releases.c.name == name
            same = connection.execute(
                sa.select(releases.c.version).where(mine, releases.c.digest == digest)
            ).scalar()
            if same is None:
                # A removed version's number stays taken while an alias can be rolled back to it.
                used = sa.union_all(
                    sa.select(releases.c.version).where(mine),
                    sa.select(moves.c.version).where(moves.c.name == name),
                ).subquery()
                newest = sa.select(sa.func.coalesce(sa.func.max(used.c.version), 0))
                same = int(connection.execute(newest).scalar_one()) + 1
                connection.execute(
                    releases.insert().values(
                        name=name, version=same, digest=digest, folder=str(folder), task=task,
                        lineage=lineage, created=time.time(),
                    )
                )  # fmt: skip
        return self.release(f"{name}@{same}")

    def releases(self) -> list[Release]:
        """All releases by name and version."""
        with self._engine.connect() as connection:
            pointers: dict[tuple[str, int], list[str]] = {}
            for name, alias, version in connection.execute(sa.select(aliases)):
                pointers.setdefault((name, version), []).append(alias)
            order = (releases.c.name, releases.c.version)
            return [
                Release(**row, aliases=tuple(sorted(pointers.get((row.name, row.version), []))))
                for row in connection.execute(sa.select(releases).order_by(*order)).mappings()
            ]

    def find(self, label: str) -> Release | None:
        """The release `name@version`, `name@alias`, or `name`: its production, else its newest version."""
        name, _, which = label.partition("@")
        mine = [release for release in self.releases() if release.name == name]
        if which:
            return next((r for r in mine if which == str(r.version) or which in r.aliases), None)
        production = (r for r in mine if "production" in r.aliases)
        return next(production, mine[-1] if mine else None)

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
        self.release(f"{name}@{version}")
        with self._writing.begin() as connection:
            here = (aliases.c.name == name) & (aliases.c.alias == alias)
            found = connection.execute(sa.select(aliases.c.version).where(here)).scalar()
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
        return self.release(f"{name}@{version}")

    def alias_version(self, name: str, alias: str) -> int | None:
        """The version an alias points to."""
        here = (aliases.c.name == name) & (aliases.c.alias == alias)
        with self._engine.connect() as connection:
            found: int | None = connection.execute(sa.select(aliases.c.version).where(here)).scalar()
        return found

    def rollback(self, name: str, alias: str, *, reason: str) -> Release:
        """Point `alias` to where it was before its last move.

        Raises:
            TunesmithError: C09 when it was never moved from another version.
        """
        here = (moves.c.name == name) & (moves.c.alias == alias)
        current = self.alias_version(name, alias)
        with self._engine.connect() as connection:
            previous = connection.execute(
                sa.select(moves.c.previous)
                .where(here, moves.c.version == current, moves.c.previous.is_not(None))
                .order_by(moves.c.id.desc())
                .limit(1)
            ).scalar()
        if previous is None:
            raise TunesmithError("C09", name=name, alias=alias)
        return self.move(name, alias, previous, expected=current, reason=reason)

    def remove(self, release: Release) -> None:
        """Forget a release; its files are the caller's.

        Raises:
            TunesmithError: C13 while an alias points to it.
        """
        here = (aliases.c.name == release.name) & (aliases.c.version == release.version)
        with self._writing.begin() as connection:
            pointing = connection.execute(sa.select(aliases.c.alias).where(here)).scalars().all()
            if pointing:
                raise TunesmithError("C13", name=release.label, aliases=", ".join(pointing))
            mine = (releases.c.name == release.name) & (releases.c.version == release.version)
            connection.execute(releases.delete().where(mine))

    # Keys

    def create_key(self, name: str, scopes: Sequence[str]) -> tuple[str, str]:
        """A new key: its id, and its text, which is shown once and not stored."""
        identity = secrets.token_hex(4)
        text = f"{KEY_PREFIX}_{identity}_{secrets.token_urlsafe(32)}"
        with self._writing.begin() as connection:
            connection.execute(
                keys.insert().values(
                    id=identity, name=name, mac=self._mac(text), scopes=list(scopes),
                    created=time.time(), revoked=None,
                )
            )  # fmt: skip
        return identity, text

    def keys(self) -> list[Key]:
        """All keys, oldest first, revoked ones too."""
        columns = [column for column in keys.c if column.name != "mac"]
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(*columns).order_by(keys.c.created)).mappings()
            return [Key(**{**row, "scopes": tuple(row["scopes"])}) for row in rows]

    def find_key(self, text: str) -> Key | None:
        """The key with this text, if it exists and was not revoked."""
        parts = text.split("_", 2)
        if len(parts) != 3 or len(text) > 200:
            return None
        with self._engine.connect() as connection:
            mac = connection.execute(sa.select(keys.c.mac).where(keys.c.id == parts[1])).scalar()
        if not hmac.compare_digest(self._mac(text), mac or ""):
            return None
        return next((k for k in self.keys() if k.id == parts[1] and k.revoked is None), None)

    def revoke_key(self, identity: str) -> None:
        """Make a key worthless from now on.

        Raises:
            NotFoundError: C10 when there is no such key.
        """
        with self._writing.begin() as connection:
            change = keys.update().where(keys.c.id == identity).values(revoked=time.time())
            if connection.execute(change).rowcount == 0:
                known = ", ".join(connection.execute(sa.select(keys.c.id)).scalars()) or "-"
                raise NotFoundError("C10", id=identity, known=known)

    def _mac(self, text: str) -> str:
        return hmac.new(self._pepper(), text.encode(), hashlib.sha256).hexdigest()

    def _pepper(self) -> bytes:
        path = self.path.with_name("pepper")
        if not path.exists():
            durable.write_once(path, secrets.token_bytes(_PEPPER_BYTES))
        pepper = path.read_bytes()
        if len(pepper) != _PEPPER_BYTES:
            raise TunesmithError("C15", file=path, expected=_PEPPER_BYTES, found=len(pepper))
        return pepper


def _configure(connection: Any, _record: Any) -> None:
    # pysqlite must not begin transactions by itself: `_begin` does.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000",
                   "foreign_keys=ON", "trusted_schema=OFF"):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # A writer takes its lock at once: one that first reads could find that another wrote meanwhile, and fail.
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _migrate(engine: sa.Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "tunesmith.core:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
