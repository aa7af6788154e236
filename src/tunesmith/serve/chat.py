"""OpenAI's route of conversations: the assistant's next turn, streamed or whole."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from tunesmith.models.calls import CallForm
from tunesmith.models.token_bytes import TokenBytes
from tunesmith.serve import logprobs
from tunesmith.serve.answers import (
    AnswerMessage,
    ChatChoice,
    ChatChunk,
    ChatChunkChoice,
    ChatCompletion,
    ChatLogprobs,
    Delta,
    FinishReason,
    ToolCall,
    ToolCallDelta,
    ToolFunction,
    Usage,
    new_head,
)
from tunesmith.serve.calls import Call, CallReader, Text
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.generation import Generation, Part
from tunesmith.serve.planning import plan
from tunesmith.serve.schemas import ChatRequest
from tunesmith.serve.served import TextDeployment
from tunesmith.serve.streaming import answer


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the route over these models into `app`."""

    @app.post("/v1/chat/completions", response_model=ChatCompletion)
    async def chat(wishes: ChatRequest, request: Request) -> Response:
        """The assistant's next turn in a conversation."""
        deployment = deployments.of(TextDeployment, wishes.model)
        planned = await run_in_threadpool(plan, deployment, wishes)
        generation = Generation(
            deployment,
            [planned.ids],
            wishes,
            max_tokens=wishes.max_completion_tokens or wishes.max_tokens,
            continues=False,
            grammar=planned.grammar,
        )
        return await answer(generation, _Shape(deployment, wishes, planned.form), wishes, request)


class _Shape:
    def __init__(self, deployment: TextDeployment, wishes: ChatRequest, form: CallForm | None) -> None:
        self._head = new_head("chatcmpl", deployment.name)
        self._words = TokenBytes(deployment.tokenizer) if wishes.logprobs else None
        self._form = form
        self._readers: dict[int, CallReader] = {}

    def whole(self, answers: Sequence[Part], usage: Usage) -> BaseModel:
        choices = [
            ChatChoice(
                index=i,
                message=_message(self._read(i, part)),
                logprobs=self._logprobs(part),
                finish_reason=self._finish(i, part) or "length",
            )
            for i, part in enumerate(answers)
        ]
        return ChatCompletion.model_validate({**self._head, "choices": choices, "usage": usage})

    def opening(self, count: int) -> list[BaseModel]:
        return [self._chunk(i, Delta(role="assistant", content="")) for i in range(count)]

    def events(self, index: int, part: Part) -> list[BaseModel]:
        delta = _delta(self._read(index, part))
        finish, told = self._finish(index, part), self._logprobs(part)
        empty = delta.content is None and delta.tool_calls is None and finish is None
        return [] if empty and told is None else [self._chunk(index, delta, finish, told)]

    def closing(self, usage: Usage) -> BaseModel:
        return ChatChunk.model_validate({**self._head, "choices": [], "usage": usage})

    def _chunk(
        self, index: int, delta: Delta, finish: FinishReason | None = None, told: ChatLogprobs | None = None
    ) -> BaseModel:
        choice = ChatChunkChoice(index=index, delta=delta, logprobs=told, finish_reason=finish)
        return ChatChunk.model_validate({**self._head, "choices": [choice]})

    def _read(self, index: int, part: Part) -> list[Text | Call]:
        if self._form is None:
            return [Text(part.text)] if part.text else []
        reader = self._readers.setdefault(index, CallReader(self._form))
        return reader.feed(part.text, last=part.finish is not None)

    def _finish(self, index: int, part: Part) -> FinishReason | None:
        called = index in self._readers and self._readers[index].called
        return "tool_calls" if called and part.finish == "stop" else part.finish

    def _logprobs(self, part: Part) -> ChatLogprobs | None:
        return logprobs.of_chat(part.said, self._words) if self._words else None


def _message(pieces: Sequence[Text | Call]) -> AnswerMessage:
    calls: dict[int, ToolCall] = {}
    for piece in pieces:
        if isinstance(piece, Call):
            known = calls.get(piece.index)
            name = known.function.name if known else piece.name
            arguments = (known.function.arguments if known else "") + piece.arguments
            identity = known.id if known else new_call()
            calls[piece.index] = ToolCall(id=identity, function=ToolFunction(name=name, arguments=arguments))
    text = "".join(piece.text for piece in pieces if isinstance(piece, Text))
    return AnswerMessage(content=text if text or not calls else None, tool_calls=list(calls.values()) or None)


def _delta(pieces: Sequence[Text | Call]) -> Delta:
    text = "".join(piece.text for piece in pieces if isinstance(piece, Text))
    calls = [_call_delta(piece) for piece in pieces if isinstance(piece, Call)]
    return Delta(content=text or None, tool_calls=calls or None)


def _call_delta(piece: Call) -> ToolCallDelta:
    function = ToolFunction(name=piece.name, arguments=piece.arguments)
    if piece.name is None:
        return ToolCallDelta(index=piece.index, function=function)
    return ToolCallDelta(index=piece.index, id=new_call(), type="function", function=function)


def new_call() -> str:
    """The id of a call."""
    return f"call_{uuid.uuid4().hex}"
