"""OpenAI's newer route of conversations: an answer as a list of items, streamed as typed events or whole."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response

from tunesmith.core.errors import TunesmithError
from tunesmith.models.calls import CallForm
from tunesmith.serve import errors
from tunesmith.serve.answers import Usage, new_head
from tunesmith.serve.calls import Call, CallReader, Text
from tunesmith.serve.chat import new_call
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.generation import Generation, Part
from tunesmith.serve.planning import plan
from tunesmith.serve.response_answers import (
    Incomplete,
    OutputCall,
    OutputMessage,
    OutputText,
    ResponseAnswer,
    ResponseEvent,
    ResponseUsage,
    Status,
)
from tunesmith.serve.response_schemas import ResponsesRequest
from tunesmith.serve.served import TextDeployment
from tunesmith.serve.streaming import EventStream, while_connected


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the route over these models into `app`."""

    @app.post("/v1/responses", response_model=ResponseAnswer)
    async def respond(wishes: ResponsesRequest, request: Request) -> Response:
        """The assistant's next turn, as a list of what it says and calls."""
        deployment = deployments.of(TextDeployment, wishes.model)
        planned = await run_in_threadpool(plan, deployment, wishes.chat)
        generation = Generation(
            deployment,
            [planned.ids],
            wishes.chat,
            max_tokens=wishes.max_output_tokens,
            continues=False,
            grammar=planned.grammar,
        )
        writer = _Writer(deployment.name, planned.form, parallel=wishes.parallel_tool_calls is not False)
        if wishes.stream:
            return EventStream(_events(generation, writer, request.headers), generation.cancel)
        async with while_connected(request, generation.cancel):
            [whole] = await generation.collect()
        list(writer.read(whole))
        content = writer.answer(generation.usage).model_dump_json()
        return Response(content, media_type="application/json")


async def _events(generation: Generation, writer: _Writer, headers: Headers) -> AsyncIterator[str]:
    for event in writer.opening():
        yield _data(event)
    try:
        async for _, part in generation.parts():
            for event in writer.read(part):
                yield _data(event)
    except TunesmithError as error:
        yield f"event: error\ndata: {errors.body(error, headers).model_dump_json()}\n\n"
        return
    yield _data(writer.closing(generation.usage))


def _data(event: ResponseEvent) -> str:
    return f"event: {event.type}\ndata: {event.model_dump_json()}\n\n"


class _Writer:
    """The items of one answer as its text comes, each with the events that tell of it."""

    def __init__(self, model: str, form: CallForm | None, *, parallel: bool) -> None:
        head = new_head("resp", model)
        self._head = {"id": head["id"], "created_at": head["created"], "model": model}
        self._parallel = parallel
        self._reader = CallReader(form) if form else None
        self._items: list[OutputMessage | OutputCall] = []
        self._status: Status = "in_progress"
        self._number = 0

    def answer(self, usage: Usage | None) -> ResponseAnswer:
        """All that was said so far."""
        counts = usage and ResponseUsage(
            input_tokens=usage.prompt_tokens,
            output_tokens=usage.completion_tokens,
            total_tokens=usage.total_tokens,
        )
        said: dict[str, Any] = {**self._head, "status": self._status, "output": self._items, "usage": counts}
        cut = Incomplete() if self._status == "incomplete" else None
        return ResponseAnswer(**said, incomplete_details=cut, parallel_tool_calls=self._parallel)

    def opening(self) -> Iterator[ResponseEvent]:
        """Events before the first text."""
        for name in ("created", "in_progress"):
            yield self._event(name, response=self.answer(None).model_dump())

    def closing(self, usage: Usage) -> ResponseEvent:
        """The event that carries the whole answer."""
        return self._event(self._status, response=self.answer(usage).model_dump())

    def read(self, part: Part) -> Iterator[ResponseEvent]:
        """Events of a part of the answer."""
        last = part.finish is not None
        for piece in self._reader.feed(part.text, last=last) if self._reader else [Text(part.text)]:
            if isinstance(piece, Call):
                yield from self._call(piece)
            elif piece.text:
                yield from self._text(piece.text)
        if last:
            self._status = "incomplete" if part.finish == "length" else "completed"
            yield from self._end()

    def _text(self, text: str) -> Iterator[ResponseEvent]:
        if not self._items:
            self._items.append(OutputMessage(id=_new("msg"), status="in_progress", content=[]))
            yield self._event("output_item.added", item=self._items[-1].model_dump())
            yield self._event(
                "content_part.added", **self._place, content_index=0, part=OutputText(text="").model_dump()
            )
        message = self._items[-1]
        if isinstance(message, OutputMessage):
            whole = "".join(content.text for content in message.content) + text
            self._items[-1] = message.model_copy(update={"content": [OutputText(text=whole)]})
        yield self._event("output_text.delta", **self._place, content_index=0, delta=text)

    def _call(self, piece: Call) -> Iterator[ResponseEvent]:
        if piece.name is not None:
            yield from self._end()
            self._items.append(
                OutputCall(
                    id=_new("fc"), call_id=new_call(), name=piece.name, arguments="", status="in_progress"
                )
            )
            yield self._event("output_item.added", item=self._items[-1].model_dump())
            return
        call = self._items[-1]
        if isinstance(call, OutputCall):
            self._items[-1] = call.model_copy(update={"arguments": call.arguments + piece.arguments})
        yield self._event("function_call_arguments.delta", **self._place, delta=piece.arguments)

    def _end(self) -> Iterator[ResponseEvent]:
        """The item that was being written is done."""
        if not self._items:
            return
        status = "completed" if self._status == "in_progress" else self._status
        item = self._items[-1] = self._items[-1].model_copy(update={"status": status})
        if isinstance(item, OutputCall):
            yield self._event("function_call_arguments.done", **self._place, arguments=item.arguments)
        else:
            text = item.content[0]
            yield self._event("output_text.done", **self._place, content_index=0, text=text.text)
            yield self._event("content_part.done", **self._place, content_index=0, part=text.model_dump())
        yield self._event("output_item.done", item=item.model_dump())

    @property
    def _place(self) -> dict[str, Any]:
        return {"item_id": self._items[-1].id}

    def _event(self, name: str, **said: Any) -> ResponseEvent:
        self._number += 1
        if "response" not in said:
            said["output_index"] = len(self._items) - 1
        return ResponseEvent(type=f"response.{name}", sequence_number=self._number - 1, **said)


def _new(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex}"
