"""Routes for those who label: the next items, decisions, and what is to be settled."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import FastAPI, Query, Request

from tunesmith.core.errors import NotFoundError, TunesmithError
from tunesmith.core.store.labelling import Decision, Item, Project
from tunesmith.data.annotation.answers import checked
from tunesmith.data.annotation.outcome import outcomes
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio import sessions
from tunesmith.studio.labelling.forms import (
    DecisionForm,
    Decisions,
    ItemInfo,
    Items,
    Kept,
    Progress,
    Wanted,
)
from tunesmith.studio.labelling.projects import who
from tunesmith.studio.roles import ANNOTATOR, VIEWER, includes
from tunesmith.studio.state import Studio
from tunesmith.workflow.labelling.following import Background
from tunesmith.workflow.labelling.quality import is_disputed

POLICIES: dict[Route, Policy] = {
    ("POST", "/api/labelling/{name}/next"): ANNOTATOR,
    ("POST", "/api/labelling/{name}/decisions"): ANNOTATOR,
    ("GET", "/api/labelling/{name}/items"): VIEWER,
}


def add_routes(app: FastAPI, studio: Studio, background: Background) -> None:
    """Put the routes of work into `app`."""
    store = studio.store

    @app.post("/api/labelling/{name}/next")
    def following(name: str, wanted: Wanted, request: Request) -> Items:
        """The next items for who asks; nobody else gets them meanwhile."""
        found = store.next_items(name, who(request), wanted.count)
        return Items(items=[ItemInfo.of(item) for item in found], total=len(found))

    @app.post("/api/labelling/{name}/decisions")
    def decide(name: str, given: Decisions, request: Request) -> Kept:
        """Keep decisions, each once however often it is sent; undone ones stay in the history."""
        project = store.project(name)
        visitor = sessions.visitor(request)
        if any(one.kind == "settle" for one in given.decisions) and not includes(visitor.role, "engineer"):
            raise TunesmithError("W02", role=visitor.role, least="engineer")
        items = {item.number: item for item in store.items(name, [one.item for one in given.decisions])}
        made = [_decision(project, items.get(one.item), one, who(request)) for one in given.decisions]
        kept = store.decide(name, made)
        if kept:
            background.labelled(project, kept)
        return Kept(kept=kept, progress=Progress.of(store.standing(name)))

    @app.get("/api/labelling/{name}/items")
    def items(
        name: str,
        request: Request,
        show: Literal["all", "disputed", "mine"] = "all",
        offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Items:
        """Items with what stands for them: all that anybody decided, those in dispute, or one's own."""
        project = store.project(name)
        found = outcomes(project.task, store.standing_decisions(name))
        if show == "disputed":
            found = [one for one in found if is_disputed(project, one)]
        if show == "mine":
            found = [one for one in found if any(d.annotator == who(request) for d in one.decisions)]
        shown = found[offset : offset + limit]
        by_number = {item.number: item for item in store.items(name, [one.item for one in shown])}
        return Items(
            items=[ItemInfo.of(by_number[one.item], one.decisions) for one in shown], total=len(found)
        )


def _decision(project: Project, item: Item | None, form: DecisionForm, annotator: str) -> Decision:
    if item is None:
        raise NotFoundError("L04", project=project.name, item=form.item)
    made = Decision(
        event=form.event, item=form.item, annotator=annotator, kind=form.kind, suggested=form.suggested,
        seconds=form.seconds, undoes=form.undoes,
    )  # fmt: skip
    if form.kind not in ("label", "settle"):
        return made
    return replace(made, answer=checked(project, item.content, form.answer or {}))
