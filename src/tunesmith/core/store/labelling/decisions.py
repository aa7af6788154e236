"""Decisions: each kept at once and once, never changed; an undo is one more."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import sqlalchemy as sa

from tunesmith.core.errors import NotFoundError
from tunesmith.core.store.labelling.projects import named_project
from tunesmith.core.store.labelling.queue import HELD_S
from tunesmith.core.store.labelling.records import Decision, Standing
from tunesmith.core.store.labelling.tables import decisions, items, places
from tunesmith.core.store.opened import Opened

_COLUMNS = [column for column in decisions.c if column.name not in ("id", "project")]


class Decisions(Opened):
    """What was decided in a project."""

    def decide(self, project: str, made: Sequence[Decision]) -> int:
        """Keep decisions, in their order, all of them or none; how many were new.

        One whose `event` is known already was sent twice, and is not kept again.

        Raises:
            NotFoundError: L01 when there is no such project, L04 when an item is not in it.
        """
        with self.backend.writing() as connection:
            named_project(connection, project)
            _check_items(connection, project, made)
            kept = 0
            for decision in made:
                kept += _keep(connection, project, decision)
            return kept

    def decisions(self, project: str) -> list[Decision]:
        """Everything that was ever decided, skipped and undone, in order.

        Raises:
            NotFoundError: L01 when there is no such project.
        """
        wanted = sa.select(*_COLUMNS).where(decisions.c.project == project).order_by(decisions.c.id)
        with self.backend.reading() as connection:
            named_project(connection, project)
            return [Decision(**row) for row in connection.execute(wanted).mappings()]

    def standing_decisions(self, project: str) -> list[Decision]:
        """What stands now: of each annotator the last about each item, and what settled items; by item.

        Raises:
            NotFoundError: L01 when there is no such project.
        """
        own = sa.select(places.c.event).where(places.c.project == project, places.c.event.is_not(None))
        settled = sa.select(items.c.settled).where(items.c.project == project, items.c.settled.is_not(None))
        stands = decisions.c.event.in_(own) | decisions.c.event.in_(settled)
        wanted = sa.select(*_COLUMNS).where(decisions.c.project == project, stands)
        with self.backend.reading() as connection:
            named_project(connection, project)
            rows = connection.execute(wanted.order_by(decisions.c.item, decisions.c.id)).mappings()
            return [Decision(**row) for row in rows]

    def standing(self, project: str, *, now: float | None = None) -> Standing:
        """How far a project is.

        Raises:
            NotFoundError: L01 when there is no such project.
        """
        moment = time.time() if now is None else now
        with self.backend.reading() as connection:
            named_project(connection, project)
            return _standing(connection, project, moment)


def _check_items(connection: sa.Connection, project: str, made: Sequence[Decision]) -> None:
    wanted = {decision.item for decision in made}
    here = sa.select(items.c.number).where(items.c.project == project, items.c.number.in_(wanted))
    if missing := wanted - set(connection.execute(here).scalars()):
        raise NotFoundError("L04", project=project, item=min(missing))


def _keep(connection: sa.Connection, project: str, decision: Decision) -> bool:
    own = (decisions.c.project == project) & (decisions.c.event == decision.event)
    if connection.execute(sa.select(decisions.c.id).where(own)).first():
        return False
    dated = replace(decision, made=decision.made or time.time())
    connection.execute(decisions.insert().values(project=project, **_row(dated)))
    if decision.kind == "undo":
        _take_back(connection, project, decision)
    elif decision.kind == "settle":
        _settle(connection, project, decision.item, decision.event)
    else:
        _place(connection, project, decision)
    return True


def _row(decision: Decision) -> dict[str, Any]:
    return asdict(decision)


def _place(connection: sa.Connection, project: str, decision: Decision) -> None:
    own = _own_place(project, decision)
    connection.execute(places.delete().where(own))
    connection.execute(
        places.insert().values(
            project=project, item=decision.item, annotator=decision.annotator, event=decision.event, until=0.0
        )
    )


def _take_back(connection: sa.Connection, project: str, decision: Decision) -> None:
    """The item is with them again; what somebody else or a later decision says stays."""
    own = _own_place(project, decision) & (places.c.event == decision.undoes)
    connection.execute(places.update().where(own).values(event=None, until=time.time() + HELD_S))
    mine = sa.select(decisions.c.event).where(
        decisions.c.project == project,
        decisions.c.event == decision.undoes,
        decisions.c.annotator == decision.annotator,
    )
    here = (items.c.project == project) & (items.c.number == decision.item)
    connection.execute(items.update().where(here, items.c.settled.in_(mine)).values(settled=None))


def _settle(connection: sa.Connection, project: str, number: int, event: str) -> None:
    here = (items.c.project == project) & (items.c.number == number)
    connection.execute(items.update().where(here).values(settled=event))


def _own_place(project: str, decision: Decision) -> sa.ColumnElement[bool]:
    return (
        (places.c.project == project)
        & (places.c.item == decision.item)
        & (places.c.annotator == decision.annotator)
    )


def _standing(connection: sa.Connection, project: str, now: float) -> Standing:
    own = places.c.project == project
    made = own & places.c.event.is_not(None)
    by = sa.select(places.c.annotator, sa.func.count()).where(made).group_by(places.c.annotator)
    held = sa.select(sa.func.count(places.c.item.distinct())).where(
        own, places.c.event.is_(None), places.c.until > now
    )
    given = places.join(
        decisions, (decisions.c.project == places.c.project) & (decisions.c.event == places.c.event)
    )
    counts = (
        sa.select(places.c.item, sa.func.count().label("n"))
        .select_from(given)
        .where(made, decisions.c.kind != "skip")
        .group_by(places.c.item)
        .subquery()
    )
    in_project = items.c.project == project
    enough = counts.c.n >= sa.case((items.c.wanted == 0, 1), else_=items.c.wanted)
    done = (
        sa.select(sa.func.count())
        .select_from(items.outerjoin(counts, counts.c.item == items.c.number))
        .where(in_project, enough | items.c.settled.is_not(None))
    )
    settled = sa.select(sa.func.count()).select_from(items).where(in_project, items.c.settled.is_not(None))
    everything = sa.select(sa.func.count()).select_from(items).where(in_project)
    skipped = sa.select(sa.func.count()).select_from(given).where(own, decisions.c.kind == "skip")
    per_annotator = {name: int(count) for name, count in connection.execute(by.order_by(places.c.annotator))}
    return Standing(
        items=connection.execute(everything).scalar_one(),
        decided=connection.execute(done).scalar_one(),
        decisions=sum(per_annotator.values()),
        skipped=connection.execute(skipped).scalar_one(),
        settled=connection.execute(settled).scalar_one(),
        held=connection.execute(held).scalar_one(),
        by=per_annotator,
    )
