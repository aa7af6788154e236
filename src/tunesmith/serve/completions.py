"""OpenAI's route of texts to be continued, or only read: streamed or whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from tunesmith.models.language import prompt_ids
from tunesmith.models.token_bytes import TokenBytes
from tunesmith.serve import logprobs
from tunesmith.serve.answers import Completion, CompletionChoice, Usage, new_head
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.generation import Generation, Part
from tunesmith.serve.schemas import CompletionRequest
from tunesmith.serve.served import TextDeployment
from tunesmith.serve.streaming import answer

_Given = str | list[int]


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the route over these models into `app`."""

    @app.post("/v1/completions", response_model=Completion)
    async def complete(wishes: CompletionRequest, request: Request) -> Response:
        """The continuation of texts."""
        deployment = deployments.of(TextDeployment, wishes.model)
        prompts = await run_in_threadpool(_encode, deployment, wishes.prompts)
        echo = await run_in_threadpool(_decode, deployment, wishes.prompts) if wishes.echo else []
        generation = Generation(
            deployment, prompts, wishes, max_tokens=wishes.max_tokens, continues=True, echo=echo
        )
        return await answer(generation, _Shape(deployment, wishes), wishes, request)


def _encode(deployment: TextDeployment, prompts: list[_Given]) -> list[list[int]]:
    tokenizer = deployment.tokenizer
    return [prompt_ids(tokenizer, p) if isinstance(p, str) else p for p in prompts]


def _decode(deployment: TextDeployment, prompts: list[_Given]) -> list[str]:
    # An id outside the vocabulary is refused afterwards, by its number.
    tokenizer = deployment.tokenizer
    return [p if isinstance(p, str) else tokenizer.decode(p) for p in prompts]


class _Shape:
    def __init__(self, deployment: TextDeployment, wishes: CompletionRequest) -> None:
        self._head = new_head("cmpl", deployment.name)
        self._words = TokenBytes(deployment.tokenizer) if wishes.tops is not None else None
        self._written: Counter[int] = Counter()  # characters of each answer

    def whole(self, answers: Sequence[Part], usage: Usage) -> BaseModel:
        choices = [self._choice(i, part) for i, part in enumerate(answers)]
        return Completion.model_validate({**self._head, "choices": choices, "usage": usage})

    def opening(self, count: int) -> list[BaseModel]:
        return []

    def events(self, index: int, part: Part) -> list[BaseModel]:
        return [Completion.model_validate({**self._head, "choices": [self._choice(index, part)]})]

    def closing(self, usage: Usage) -> BaseModel:
        return Completion.model_validate({**self._head, "choices": [], "usage": usage})

    def _choice(self, index: int, part: Part) -> CompletionChoice:
        start = self._written[index]
        self._written[index] += len(part.text)
        told = logprobs.of_completion(part.said, self._words, part.text, start) if self._words else None
        return CompletionChoice(index=index, text=part.text, logprobs=told, finish_reason=part.finish)
