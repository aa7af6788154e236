"""The client for programs that wait for many things at once; see `serve.client`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, TypeVar

import httpx

from tunesmith.core.errors import MissingError
from tunesmith.serve import remote
from tunesmith.serve.client import RETRIES
from tunesmith.serve.remote import Call, Messages, Texts

Found = TypeVar("Found")


class AsyncClient:
    """As `Client`, to be awaited: asks the models of the server at `url`.

    `model` may be left out where one model of the server fits. What a busy server refuses, and what breaks on
    the way, is sent again up to `retries` times. Use it as a context manager, or close it.

    Raises:
        TunesmithError: S31 (or the class that fits its status) with what the server said.
        MissingError: S32 when no server answers.
        UsageError: S33 when a model has to be named.
    """

    def __init__(
        self, url: str, key: str | None = None, *, timeout: float = 300.0, retries: int = RETRIES
    ) -> None:
        self._url = url.rstrip("/").removesuffix("/v1")
        self._retries = retries
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.AsyncClient(base_url=self._url, headers=headers, timeout=timeout)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def models(self) -> list[str]:
        """The names of the served models."""
        return [entry["id"] for entry in await self._models()]

    async def tasks(self) -> dict[str, str | None]:
        """What each served model does; None where the server does not say."""
        return {entry["id"]: entry.get("task") for entry in await self._models()}

    async def message(
        self, messages: Messages, *, model: str | None = None, **options: Any
    ) -> dict[str, Any]:
        """The assistant's next turn with everything that belongs to it, calls of `tools` too."""
        return await self._ask(remote.message(messages, options), model)

    async def chat(self, messages: Messages, *, model: str | None = None, **options: Any) -> str:
        """The answer to a conversation, or to one message."""
        return await self._ask(remote.chat(messages, options), model)

    async def stream(
        self, messages: Messages, *, model: str | None = None, **options: Any
    ) -> AsyncIterator[str]:
        """The answer in pieces, as they come."""
        async for event in self._events(remote.chat(messages, {**options, "stream": True}), model):
            for piece in remote.pieces(event):
                yield piece

    async def complete(self, prompt: str, *, model: str | None = None, **options: Any) -> str:
        """The continuation of a text."""
        return await self._ask(remote.complete(prompt, options), model)

    async def classify(self, texts: Texts, *, model: str | None = None) -> list[dict[str, Any]]:
        """For each text its label, the label's probability and all probabilities."""
        return await self._ask(remote.rows("classify", texts), model)

    async def tag(self, texts: Texts, *, model: str | None = None) -> list[list[dict[str, Any]]]:
        """For each text what is named in it: start, end, label, text and probability."""
        return await self._ask(remote.column(remote.rows("tag", texts), "entities"), model)

    async def answer(
        self, questions: Texts, contexts: Texts, *, model: str | None = None
    ) -> list[dict[str, Any]]:
        """What the text beside each question answers: text, start, end and probability."""
        return await self._ask(remote.answer(questions, contexts), model)

    async def translate(self, texts: Texts, *, model: str | None = None, **options: Any) -> list[str]:
        """Each text in another language."""
        return await self._ask(remote.column(remote.rows("translate", texts, options), "text"), model)

    async def summarise(self, texts: Texts, *, model: str | None = None, **options: Any) -> list[str]:
        """Each text made short."""
        return await self._ask(remote.column(remote.rows("summarise", texts, options), "text"), model)

    async def embed(self, texts: Texts, *, model: str | None = None) -> list[list[float]]:
        """The vector of each text, of length 1."""
        return await self._ask(remote.embed(texts), model)

    async def score(self, texts: Texts, *, model: str | None = None) -> list[float]:
        """The number of each text."""
        return await self._ask(remote.column(remote.rows("score", texts), "score"), model)

    async def feedback(self, answer: str, **said: Any) -> None:
        """What you think of the answer with this id: `rating` good or bad, `correction`, `comment`."""
        remote.read(await self._send("POST", "/v1/feedback", {"id": answer, **said}))

    async def _models(self) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = remote.read(await self._send("GET", "/v1/models"))["data"]
        return data

    async def _body(self, call: Call[Any], model: str | None) -> dict[str, Any]:
        return {"model": model or remote.only(await self._models(), call.task), **call.body}

    async def _ask(self, call: Call[Found], model: str | None) -> Found:
        return call.read(remote.read(await self._send("POST", call.path, await self._body(call, model))))

    async def _events(self, call: Call[Any], model: str | None) -> AsyncIterator[Any]:
        body = await self._body(call, model)
        response = await self._send("POST", call.path, body, stream=True)
        try:
            if response.is_error:
                await response.aread()
                remote.read(response)
            async for line in response.aiter_lines():
                if event := remote.event(response, line):
                    yield event
        except httpx.TransportError as error:
            raise MissingError("S32", url=self._url, reason=str(error)) from error
        finally:
            await response.aclose()

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, stream: bool = False
    ) -> httpx.Response:
        left = remote.pauses(self._retries)
        while True:
            pause = next(left, None)
            try:
                response = await self._http.send(
                    self._http.build_request(method, path, json=body), stream=stream
                )
            except httpx.TransportError as error:
                if pause is None or isinstance(error, httpx.TimeoutException):
                    raise MissingError("S32", url=self._url, reason=str(error)) from error
                wait: float | None = pause
            else:
                wait = remote.again(response, pause)
                if wait is None:
                    return response
                await response.aclose()
            await asyncio.sleep(wait or 0)
