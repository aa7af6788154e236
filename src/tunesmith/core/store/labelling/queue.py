"""Who is given which item next: nobody the same as another, unless several are wanted."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from tunesmith.core.store.labelling.projects import in_turn, item_of, named_project, suggested_row
from tunesmith.core.store.labelling.records import Item, Suggestion
from tunesmith.core.store.labelling.tables import decisions, items, places
from tunesmith.core.store.opened import Opened

HELD_S = 900.0
"""So long an item stays with who was given it and does not decide."""


class Queue(Opened):
    """The items of a project in their order."""

    def next_items(
        self, project: str, annotator: str, count: int, *, held_s: float = HELD_S, now: float | None = None
    ) -> list[Item]:
        """The next items for somebody, at most `count`, which stay theirs for `held_s` seconds.

        Items that they hold already come again, in the order of the queue. An item is free as long as fewer
        others than wanted have labelled it or hold it; those that others skipped come last.

        Raises:
            NotFoundError: L01 when there is no such project.
        """
        moment = time.time() if now is None else now
        with self.backend.writing() as connection:
            named_project(connection, project)
            free, skipped = _free(project, annotator, moment), _skipped_by_others(annotator)
            found = _items(connection, free.where(~skipped).limit(count))
            if len(found) < count:
                found += _items(connection, free.where(skipped).limit(count - len(found)))
            _hold(connection, project, annotator, [item.number for item in found], moment + held_s)
        return found

    def release_items(self, project: str, annotator: str) -> None:
        """Give back what somebody holds without having decided."""
        own = (places.c.project == project) & (places.c.annotator == annotator) & places.c.event.is_(None)
        with self.backend.writing() as connection:
            connection.execute(places.delete().where(own))

    def rank_items(self, project: str, ranks: Mapping[int, float], why: str) -> None:
        """Another order for some items, and why they are there."""
        change = _one_item(project).values(rank=sa.bindparam("r"), why=why)
        rows = [{"n": number, "r": rank} for number, rank in ranks.items()]
        self._change_items(change, rows)

    def suggest(self, project: str, suggested: Mapping[int, Sequence[Suggestion]]) -> None:
        """What to suggest for some items, instead of what was suggested before."""
        change = _one_item(project).values(suggested=sa.bindparam("s", type_=sa.JSON))
        self._change_items(change, [{"n": n, "s": suggested_row(made)} for n, made in suggested.items()])

    def _change_items(self, change: sa.Update, rows: Sequence[Mapping[str, object]]) -> None:
        # Many short turns, so that nobody who decides meanwhile waits for thousands of rows.
        for some in in_turn(rows):
            with self.backend.writing() as connection:
                connection.execute(change, some)


def _one_item(project: str) -> sa.Update:
    return items.update().where(items.c.project == project, items.c.number == sa.bindparam("n"))


def _items(connection: sa.Connection, wanted: sa.Select[tuple[object, ...]]) -> list[Item]:
    return [item_of(row) for row in connection.execute(wanted).mappings()]


def _free(project: str, annotator: str, now: float) -> sa.Select[tuple[object, ...]]:
    here = _here()
    held_or_labelled = sa.case((places.c.event.is_(None), places.c.until > now), else_=~_is_skip())
    taken = here & (places.c.annotator != annotator) & held_or_labelled
    others = sa.select(sa.func.count()).select_from(places).where(taken).scalar_subquery()
    mine = sa.exists().where(here, places.c.annotator == annotator, places.c.event.is_not(None))
    has_place = (items.c.wanted == 0) | (others < items.c.wanted)
    wanted = sa.select(items).where(items.c.project == project, items.c.settled.is_(None), has_place, ~mine)
    return wanted.order_by(items.c.rank, items.c.number)


def _skipped_by_others(annotator: str) -> sa.ColumnElement[bool]:
    return sa.exists().where(_here(), places.c.annotator != annotator, _is_skip())


def _here() -> sa.ColumnElement[bool]:
    return (places.c.project == items.c.project) & (places.c.item == items.c.number)


def _is_skip() -> sa.ColumnElement[bool]:
    """Whether the decision in a place is that somebody passed the item over."""
    own = (decisions.c.project == places.c.project) & (decisions.c.event == places.c.event)
    return sa.exists().where(own, decisions.c.kind == "skip")


def _hold(
    connection: sa.Connection, project: str, annotator: str, numbers: Sequence[int], until: float
) -> None:
    own = (places.c.project == project) & (places.c.annotator == annotator)
    connection.execute(places.delete().where(own, places.c.item.in_(numbers)))
    rows = [
        {"project": project, "item": number, "annotator": annotator, "event": None, "until": until}
        for number in numbers
    ]
    if rows:
        connection.execute(places.insert(), rows)
