"""Tags and notes: what people say about releases and runs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Literal, TypeAlias

import sqlalchemy as sa

from tunesmith.core.errors import UsageError
from tunesmith.core.store.opened import Opened
from tunesmith.core.store.records import Note
from tunesmith.core.store.tables import notes, tags

Kind: TypeAlias = Literal["release", "run"]

_TAG = re.compile(r"[^\W_][\w.:-]{0,63}")
_LONGEST_NOTE = 10_000


class Marks(Opened):
    """Tags and notes of what has a name."""

    def tag(self, kind: Kind, name: str, words: Iterable[str]) -> tuple[str, ...]:
        """Put tags on something, and return all that it has.

        Raises:
            UsageError: U14 for what cannot be a tag.
        """
        wanted = {checked_tag(word) for word in words}
        with self.backend.writing() as connection:
            there = set(_tags(connection, kind, name))
            rows = [{"kind": kind, "name": name, "tag": word} for word in sorted(wanted - there)]
            if rows:
                connection.execute(tags.insert(), rows)
            return tuple(sorted(wanted | there))

    def untag(self, kind: Kind, name: str, words: Iterable[str]) -> tuple[str, ...]:
        """Take tags off, and return those that are left."""
        with self.backend.writing() as connection:
            mine = (tags.c.kind == kind) & (tags.c.name == name)
            connection.execute(tags.delete().where(mine, tags.c.tag.in_(list(words))))
            return _tags(connection, kind, name)

    def tags(self, kind: Kind) -> dict[str, tuple[str, ...]]:
        """The tags of everything of a kind that has some, by name."""
        with self.backend.reading() as connection:
            return all_tags(connection, kind)

    def note(self, kind: Kind, name: str, text: str) -> None:
        """Write a note about something; notes are never changed.

        Raises:
            UsageError: U15 when it is empty or longer than 10,000 characters.
        """
        said = text.replace("\0", "").strip()
        if not 0 < len(said) <= _LONGEST_NOTE:
            raise UsageError("U15", longest=_LONGEST_NOTE, found=len(said))
        with self.backend.writing() as connection:
            connection.execute(notes.insert().values(kind=kind, name=name, text=said, written=time.time()))

    def notes(self, kind: Kind, name: str) -> list[Note]:
        """The notes about something, oldest first."""
        mine = (notes.c.kind == kind) & (notes.c.name == name)
        wanted = sa.select(notes.c.text, notes.c.written).where(mine).order_by(notes.c.id)
        with self.backend.reading() as connection:
            return [Note(**row) for row in connection.execute(wanted).mappings()]

    def forget(self, kind: Kind, name: str) -> None:
        """Remove all tags and notes of something that is gone."""
        with self.backend.writing() as connection:
            forget(connection, kind, name)


def checked_tag(word: str) -> str:
    """A tag: a letter or digit of any script, then at most 63 letters, digits or `-_.:`.

    Raises:
        UsageError: U14 when it is none.
    """
    if not _TAG.fullmatch(word):
        raise UsageError("U14", tag=word)
    return word


def all_tags(connection: sa.Connection, kind: Kind, only: str | None = None) -> dict[str, tuple[str, ...]]:
    """The tags of everything of a kind, or of one of them, by name; each in order."""
    wanted = sa.select(tags.c.name, tags.c.tag).where(tags.c.kind == kind).order_by(tags.c.tag)
    if only is not None:
        wanted = wanted.where(tags.c.name == only)
    found: dict[str, tuple[str, ...]] = {}
    for name, word in connection.execute(wanted):
        found[name] = (*found.get(name, ()), word)
    return found


def forget(connection: sa.Connection, kind: Kind, name: str) -> None:
    """Remove all tags and notes of something, in a transaction of others."""
    for table in (tags, notes):
        connection.execute(table.delete().where(table.c.kind == kind, table.c.name == name))


def _tags(connection: sa.Connection, kind: Kind, name: str) -> tuple[str, ...]:
    mine = (tags.c.kind == kind) & (tags.c.name == name)
    return tuple(sorted(connection.execute(sa.select(tags.c.tag).where(mine)).scalars()))
