"""OpenAI's route of conversations: the assistant's next turn, streamed or whole."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from tunesmith.models.decoder import Finish
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
    Usage,
    new_head,
)
from tunesmith.serve.generation import Generation, Part
from tunesmith.serve.schemas import ChatRequest
from tunesmith.serve.served import Deployments, TextDeployment
from tunesmith.serve.streaming import answer


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the route over these models into `app`."""

    @app.post("/v1/chat/completions", response_model=ChatCompletion)
    async def chat(wishes: ChatRequest, request: Request) -> Response:
        """The assistant's next turn in a conversation."""
        deployment = deployments.of(TextDeployment, wishes.model)
        messages = [message.plain() for message in wishes.messages]
        ids = await run_in_threadpool(deployment.contract.encode, deployment.tokenizer, messages)
        generation = Generation(
            deployment,
            [ids],
            wishes,
            max_tokens=wishes.max_completion_tokens or wishes.max_tokens,
            continues=False,
        )
        return await answer(generation, _Shape(deployment, wishes), wishes, request)


class _Shape:
    def __init__(self, deployment: TextDeployment, wishes: ChatRequest) -> None:
        self._head = new_head("chatcmpl", deployment.name)
        self._words = TokenBytes(deployment.tokenizer) if wishes.logprobs else None

    def whole(self, answers: Sequence[Part], usage: Usage) -> BaseModel:
        choices = [
            ChatChoice(
                index=i,
                message=AnswerMessage(content=part.text),
                logprobs=self._logprobs(part),
                finish_reason=part.finish or "length",
            )
            for i, part in enumerate(answers)
        ]
        return ChatCompletion.model_validate({**self._head, "choices": choices, "usage": usage})

    def opening(self, count: int) -> list[BaseModel]:
        return [self._chunk(i, Delta(role="assistant", content="")) for i in range(count)]

    def events(self, index: int, part: Part) -> list[BaseModel]:
        return [self._chunk(index, Delta(content=part.text or None), part.finish, self._logprobs(part))]

    def closing(self, usage: Usage) -> BaseModel:
        return ChatChunk.model_validate({**self._head, "choices": [], "usage": usage})

    def _chunk(
        self, index: int, delta: Delta, finish: Finish | None = None, told: ChatLogprobs | None = None
    ) -> BaseModel:
        choice = ChatChunkChoice(index=index, delta=delta, logprobs=told, finish_reason=finish)
        return ChatChunk.model_validate({**self._head, "choices": [choice]})

    def _logprobs(self, part: Part) -> ChatLogprobs | None:
        return logprobs.of_chat(part.said, self._words) if self._words else None
