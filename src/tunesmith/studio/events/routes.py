"""One stream for each tab: everything it follows, at most four times a second, while server and session last.

Every message is `{"topic": ..., "place": ..., ...}` and its id the cursor of the whole stream. When a topic
is followed for the first time, `begun` is true and `place` says what was known then: a page that read less
reads again. `reset` says that places of the cursor are not known any more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from tunesmith.core import runs
from tunesmith.core.errors import UsageError
from tunesmith.core.plain import dumps
from tunesmith.serve import errors
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio import sessions
from tunesmith.studio.events import cursors
from tunesmith.studio.events.seats import Seats
from tunesmith.studio.events.topics import DeploymentTopic, JobTopic, RunTopic, Topic
from tunesmith.studio.roles import VIEWER
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {("GET", "/api/events"): VIEWER}

_TICK_S = 0.25
# Where nothing has happened for a while: a page that is only open costs next to nothing.
_QUIET_TICK_S, _QUIET_AFTER_S = 0.6, 5.0
_HEARTBEAT_S = 15.0
_SIGNED_IN_S = 2.0
_MOST_TOPICS = 32
_HEADERS = {"X-Accel-Buffering": "no"}
_DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the stream into `app`."""
    jobs, served, seats = JobTopic(studio.store), DeploymentTopic(studio.served), Seats()

    def topic(name: str) -> Topic:
        if name.startswith("run:"):
            return RunTopic(runs.find(studio.workspace.runs, name.removeprefix("run:")))
        if name not in ("jobs", "deployments"):
            raise UsageError("W09", name=name)
        return jobs if name == "jobs" else served

    @app.get("/api/events", response_class=StreamingResponse, responses=_DESCRIBED)
    async def events(
        request: Request,
        topics: Annotated[str, Query(min_length=1, max_length=cursors.LONGEST)],
        cursor: Annotated[str, Query(max_length=cursors.LONGEST)] = "",
    ) -> StreamingResponse:
        """What happens in `jobs`, `deployments` and `run:ID`, separated by commas, after the cursor."""
        who = sessions.holder(request.scope)
        seats.require(who)
        names = list(dict.fromkeys(topics.split(",")))[:_MOST_TOPICS]
        followed = {name: await run_in_threadpool(topic, name) for name in names}
        given = cursors.read(cursor or request.headers.get("last-event-id", ""))
        stream = _Stream(followed, given, errors.language(request.headers))
        parts = seats.seated(who, stream.parts(_Reader(studio, request)))
        return StreamingResponse(parts, media_type="text/event-stream", headers=_HEADERS)


class _Reader:
    """Who reads a stream, and whether he still may."""

    def __init__(self, studio: Studio, request: Request) -> None:
        self._studio, self._request = studio, request
        self._asked = time.monotonic()

    async def may_go_on(self) -> bool:
        """Whether the server goes on, and the session too; that is asked of the store now and then."""
        if getattr(self._request.app.state, "ending", False):
            return False
        if time.monotonic() - self._asked < _SIGNED_IN_S:
            return True
        self._asked = time.monotonic()
        return await run_in_threadpool(sessions.found, self._studio, self._request.scope) is not None


class _Stream:
    def __init__(self, topics: dict[str, Topic], places: dict[str, str], lang: str) -> None:
        self._topics, self._lang = topics, lang
        self._known = places
        self._places: dict[str, str] = {}

    async def parts(self, reader: _Reader) -> AsyncIterator[str]:
        """The stream, piece by piece. Nothing is kept for a slow reader: it reads on from its place."""
        yield "retry: 1000\n\n"
        for message in await run_in_threadpool(self._begin):
            yield message
        heard = told = time.monotonic()
        while await reader.may_go_on():
            news = await run_in_threadpool(self._news)
            for message in news:
                yield message
            now = time.monotonic()
            if news:
                heard = told = now
            elif now - heard >= _HEARTBEAT_S:
                heard = now
                yield "event: heartbeat\ndata: {}\n\n"
            await asyncio.sleep(_QUIET_TICK_S if now - told > _QUIET_AFTER_S else _TICK_S)

    def _begin(self) -> list[str]:
        """Where every topic is followed from: its place in the cursor, or now."""
        lost = False
        new = []
        for name, topic in self._topics.items():
            place = self._known.get(name)
            if place is not None and topic.after(place, self._lang) is not None:
                self._places[name] = place
                continue
            lost = lost or place is not None
            self._places[name] = topic.now()
            new.append(name)
        if lost:
            return [self._reset()]
        return [self._message(name, {"begun": True}) for name in new]

    def _news(self) -> list[str]:
        messages = []
        for name, topic in self._topics.items():
            news = topic.after(self._places[name], self._lang)
            if news is None:
                self._places[name] = topic.now()
                messages.append(self._reset())
            elif news.content is not None:
                self._places[name] = news.place
                messages.append(self._message(name, news.content))
        return messages

    def _reset(self) -> str:
        return f"id: {cursors.written(self._places)}\nevent: reset\ndata: {{}}\n\n"

    def _message(self, name: str, content: dict[str, Any]) -> str:
        data = dumps({"topic": name, "place": self._places[name], **content})
        return f"id: {cursors.written(self._places)}\ndata: {data}\n\n"
