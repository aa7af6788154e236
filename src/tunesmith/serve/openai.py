"""OpenAI's routes: models, chat completions and text completions, streamed or whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tunesmith.core.errors import TunesmithError
from tunesmith.models.decoder import Finish
from tunesmith.models.language import prompt_ids
from tunesmith.models.text_stream import Piece
from tunesmith.serve import errors
from tunesmith.serve.answers import (
    AnswerMessage,
    ChatChoice,
    ChatChunk,
    ChatChunkChoice,
    ChatCompletion,
    Completion,
    CompletionChoice,
    Delta,
    ModelEntry,
    ModelList,
    Usage,
    new_head,
)
from tunesmith.serve.deployment import Deployments, TextDeployment
from tunesmith.serve.generation import Generation
from tunesmith.serve.schemas import ChatRequest, CompletionRequest
from tunesmith.serve.schemas import Generation as Wishes


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the routes over these models into `app`."""

    @app.get("/v1/models")
    async def models() -> ModelList:
        """The models that are served."""
        entries = [ModelEntry(id=d.name, created=d.created, task=d.task) for d in deployments]
        return ModelList(data=entries)

    @app.post("/v1/chat/completions", response_model=ChatCompletion)
    async def chat(wishes: ChatRequest, request: Request) -> Response:
        """The assistant's next turn in a conversation."""
        deployment = deployments.text(wishes.model)
        messages = [message.plain() for message in wishes.messages]
        ids = await run_in_threadpool(deployment.contract.encode, deployment.tokenizer, messages)
        generation = Generation(
            deployment,
            [ids],
            wishes,
            max_tokens=wishes.max_completion_tokens or wishes.max_tokens,
            continues=False,
        )
        return await _answer(generation, _ChatShape(deployment.name), wishes, request)

    @app.post("/v1/completions", response_model=Completion)
    async def complete(wishes: CompletionRequest, request: Request) -> Response:
        """The continuation of texts."""
        deployment = deployments.text(wishes.model)
        prompts = await run_in_threadpool(_encode, deployment, wishes.prompts)
        generation = Generation(deployment, prompts, wishes, max_tokens=wishes.max_tokens, continues=True)
        return await _answer(generation, _CompletionShape(deployment.name), wishes, request)


def _encode(deployment: TextDeployment, prompts: list[str | list[int]]) -> list[list[int]]:
    tokenizer = deployment.tokenizer
    return [prompt_ids(tokenizer, p) if isinstance(p, str) else p for p in prompts]


class _Shape(Protocol):
    """How a route says what was generated."""

    def whole(self, answers: list[tuple[str, Finish]], usage: Usage) -> BaseModel:
        """The complete answer."""

    def opening(self, count: int) -> list[BaseModel]:
        """Events before the first text."""

    def event(self, index: int, piece: Piece) -> BaseModel:
        """A piece of text."""

    def closing(self, usage: Usage) -> BaseModel:
        """The event that carries the counts of tokens."""


class _ChatShape:
    def __init__(self, model: str) -> None:
        self._head = new_head("chatcmpl", model)

    def whole(self, answers: list[tuple[str, Finish]], usage: Usage) -> BaseModel:
        choices = [
            ChatChoice(index=i, message=AnswerMessage(content=text), finish_reason=finish)
            for i, (text, finish) in enumerate(answers)
        ]
        return ChatCompletion.model_validate({**self._head, "choices": choices, "usage": usage})

    def opening(self, count: int) -> list[BaseModel]:
        return [self._chunk(i, Delta(role="assistant", content="")) for i in range(count)]

    def event(self, index: int, piece: Piece) -> BaseModel:
        return self._chunk(index, Delta(content=piece.text or None), piece.finish)

    def closing(self, usage: Usage) -> BaseModel:
        return ChatChunk.model_validate({**self._head, "choices": [], "usage": usage})

    def _chunk(self, index: int, delta: Delta, finish: Finish | None = None) -> BaseModel:
        choice = ChatChunkChoice(index=index, delta=delta, finish_reason=finish)
        return ChatChunk.model_validate({**self._head, "choices": [choice]})


class _CompletionShape:
    def __init__(self, model: str) -> None:
        self._head = new_head("cmpl", model)

    def whole(self, answers: list[tuple[str, Finish]], usage: Usage) -> BaseModel:
        choices = [
            CompletionChoice(index=i, text=text, finish_reason=finish)
            for i, (text, finish) in enumerate(answers)
        ]
        return Completion.model_validate({**self._head, "choices": choices, "usage": usage})

    def opening(self, count: int) -> list[BaseModel]:
        return []

    def event(self, index: int, piece: Piece) -> BaseModel:
        choice = CompletionChoice(index=index, text=piece.text, finish_reason=piece.finish)
        return Completion.model_validate({**self._head, "choices": [choice]})

    def closing(self, usage: Usage) -> BaseModel:
        return Completion.model_validate({**self._head, "choices": [], "usage": usage})


async def _answer(generation: Generation, shape: _Shape, wishes: Wishes, request: Request) -> Response:
    if wishes.stream:
        return _EventStream(generation, _events(generation, shape, wishes, request.headers))
    async with _while_connected(request, generation.cancel):
        answers = await generation.collect()
    content = shape.whole(answers, generation.usage).model_dump_json()
    return Response(content, media_type="application/json")


async def _events(
    generation: Generation, shape: _Shape, wishes: Wishes, headers: Headers
) -> AsyncIterator[str]:
    """Server-sent events. An error in the middle is an event too: the status is long sent."""
    for opening in shape.opening(generation.count):
        yield _data(opening)
    try:
        async for index, piece in generation.pieces():
            yield _data(shape.event(index, piece))
    except TunesmithError as error:
        yield _data(errors.body(error, headers))
        return
    if wishes.include_usage:
        yield _data(shape.closing(generation.usage))
    yield "data: [DONE]\n\n"


def _data(event: BaseModel) -> str:
    return f"data: {event.model_dump_json()}\n\n"


class _EventStream(StreamingResponse):
    """A stream that gives its sequences up as soon as it ends, however it ends."""

    def __init__(self, generation: Generation, events: AsyncIterator[str]) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._generation = generation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._generation.cancel()


@asynccontextmanager
async def _while_connected(request: Request, cancel: Callable[[], None]) -> AsyncIterator[None]:
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
