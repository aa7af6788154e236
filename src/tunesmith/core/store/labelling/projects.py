"""Projects and their items: made, told of, changed, removed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import sqlalchemy as sa

from tunesmith.core.errors import NotFoundError, UsageError
from tunesmith.core.store.labelling.records import Item, Label, Project, Suggestion
from tunesmith.core.store.labelling.tables import decisions, items, places, projects
from tunesmith.core.store.opened import Opened

_NAME = re.compile(r"[^\W_][\w.-]{0,63}")
_AT_ONCE = 500


class Projects(Opened):
    """Labelling projects and what is in them."""

    def create_project(self, project: Project, contents: Iterable[Item]) -> Project:
        """A new project with its items, all of them or none.

        Raises:
            UsageError: L02 for what cannot be a name, L03 when there is a project of that name.
        """
        if not _NAME.fullmatch(project.name):
            raise UsageError("L02", name=project.name)
        made = replace(project, created=project.created or time.time())
        with self.backend.writing() as connection:
            if _found(connection, made.name):
                raise UsageError("L03", name=made.name)
            connection.execute(projects.insert().values(name=made.name, created=made.created, **_row(made)))
            insert_items(connection, made.name, contents)
        return made

    def change_project(self, project: Project) -> None:
        """Another guideline, other labels or settings; the task and what was decided stay.

        Raises:
            NotFoundError: L01 when there is none of that name.
        """
        with self.backend.writing() as connection:
            named_project(connection, project.name)
            own = projects.c.name == project.name
            connection.execute(projects.update().where(own).values(**_row(project)))

    def add_items(self, project: str, contents: Iterable[Item]) -> None:
        """More items, numbered after those that are there.

        Raises:
            NotFoundError: L01 when there is no such project.
        """
        with self.backend.writing() as connection:
            named_project(connection, project)
            last = sa.select(sa.func.coalesce(sa.func.max(items.c.number), -1))
            start = connection.execute(last.where(items.c.project == project)).scalar_one() + 1
            numbered = (replace(item, number=number) for number, item in enumerate(contents, start))
            insert_items(connection, project, numbered)

    def projects(self) -> list[Project]:
        """All projects, by name."""
        with self.backend.reading() as connection:
            rows = connection.execute(sa.select(projects).order_by(projects.c.name)).mappings()
            return [_project(row) for row in rows]

    def project(self, name: str) -> Project:
        """One project.

        Raises:
            NotFoundError: L01 when there is none of that name.
        """
        with self.backend.reading() as connection:
            return named_project(connection, name)

    def remove_project(self, name: str) -> None:
        """A project with all that was decided in it.

        Raises:
            NotFoundError: L01 when there is none of that name.
        """
        with self.backend.writing() as connection:
            named_project(connection, name)
            for table in (decisions, places, items):
                connection.execute(table.delete().where(table.c.project == name))
            connection.execute(projects.delete().where(projects.c.name == name))

    def items(self, project: str, numbers: Sequence[int] | None = None) -> list[Item]:
        """All items of a project by number, or those with the given numbers.

        Raises:
            NotFoundError: L01 when there is no such project.
        """
        wanted = sa.select(items).where(items.c.project == project).order_by(items.c.number)
        with self.backend.reading() as connection:
            named_project(connection, project)
            if numbers is None:
                return [item_of(row) for row in connection.execute(wanted).mappings()]
            found: list[Item] = []
            for some in in_turn(sorted(set(numbers))):
                found += map(item_of, connection.execute(wanted.where(items.c.number.in_(some))).mappings())
            return found


def named_project(connection: sa.Connection, name: str) -> Project:
    """A project, within a transaction.

    Raises:
        NotFoundError: L01 when there is none of that name.
    """
    row = _found(connection, name)
    if row is None:
        known = ", ".join(connection.execute(sa.select(projects.c.name).order_by(projects.c.name)).scalars())
        raise NotFoundError("L01", name=name, known=known or "-")
    return _project(row)


def insert_items(connection: sa.Connection, project: str, contents: Iterable[Item]) -> None:
    """Write items, some at a time."""
    for some in in_turn(contents):
        connection.execute(items.insert(), [_item_row(project, item) for item in some])


def in_turn(values: Iterable[Any]) -> Iterator[list[Any]]:
    """So many at once as a statement may have."""
    rest = iter(values)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


def item_of(row: Any) -> Item:
    """A row of the table of items."""
    values = {name: row[name] for name in ("number", "content", "rank", "wanted", "why", "gold", "settled")}
    return Item(**values, suggested=tuple(Suggestion(**one) for one in row["suggested"]))


def suggested_row(suggested: Iterable[Suggestion]) -> list[dict[str, Any]]:
    """Suggestions as plain values."""
    return [{"by": one.by, "answer": dict(one.answer), "score": one.score} for one in suggested]


def _found(connection: sa.Connection, name: str) -> Any:
    return connection.execute(sa.select(projects).where(projects.c.name == name)).mappings().first()


def _project(row: Any) -> Project:
    settings = {**row["settings"], "suggesters": tuple(row["settings"]["suggesters"])}
    labels = tuple(Label(**label) for label in row["labels"])
    values = {name: row[name] for name in ("name", "task", "guideline", "created")}
    return Project(**values, labels=labels, **settings)


def _row(project: Project) -> dict[str, Any]:
    return {
        "task": project.task,
        "guideline": project.guideline,
        "labels": project.named_labels(),
        "settings": project.settings(),
    }


def _item_row(project: str, item: Item) -> dict[str, Any]:
    return {
        "project": project,
        "number": item.number,
        "content": dict(item.content),
        "rank": item.rank,
        "wanted": item.wanted,
        "why": item.why,
        "gold": None if item.gold is None else dict(item.gold),
        "suggested": suggested_row(item.suggested),
        "settled": item.settled,
    }
