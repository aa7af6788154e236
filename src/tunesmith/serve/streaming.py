"""Answers that take their time: as server-sent events or whole, and given up when the client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from fastapi import Request
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tunesmith.core.errors import TunesmithError
from tunesmith.serve import errors
from tunesmith.serve.answers import Usage
from tunesmith.serve.generation import Generation, Part
from tunesmith.serve.schemas import Generation as Wishes


class Shape(Protocol):
    """How a route says what was generated."""

    def whole(self, answers: Sequence[Part], usage: Usage) -> BaseModel:
        """The complete answer."""

    def opening(self, count: int) -> list[BaseModel]:
        """Events before the first text."""

    def events(self, index: int, part: Part) -> list[BaseModel]:
        """A part of an answer."""

    def closing(self, usage: Usage) -> BaseModel:
        """The event that carries the counts of tokens."""


async def answer(generation: Generation, shape: Shape, wishes: Wishes, request: Request) -> Response:
    """What was generated, as the client wishes it."""
    if wishes.stream:
        return EventStream(_events(generation, shape, wishes, request.headers), generation.cancel)
    async with while_connected(request, generation.cancel):
        answers = await generation.collect()
    content = shape.whole(answers, generation.usage).model_dump_json()
    return Response(content, media_type="application/json")


async def _events(
    generation: Generation, shape: Shape, wishes: Wishes, headers: Headers
) -> AsyncIterator[str]:
    """Server-sent events. An error in the middle is an event too: the status is long sent."""
    for opening in shape.opening(generation.count):
        yield _data(opening)
    try:
        async for index, part in generation.parts():
            for event in shape.events(index, part):
                yield _data(event)
    except TunesmithError as error:
        yield _data(errors.body(error, headers))
        return
    if wishes.include_usage:
        yield _data(shape.closing(generation.usage))
    yield "data: [DONE]\n\n"


def _data(event: BaseModel) -> str:
    return f"data: {event.model_dump_json()}\n\n"


class EventStream(StreamingResponse):
    """A stream of events that calls `cancel` as soon as it ends, however it ends."""

    def __init__(self, events: AsyncIterator[str], cancel: Callable[[], None]) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._cancel = cancel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._cancel()


@asynccontextmanager
async def while_connected(request: Request, cancel: Callable[[], None]) -> AsyncIterator[None]:
    """Call `cancel` when the client goes away during the block, and when the block fails."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    finally:
        watcher.cancel()
        cancel()
