"""A client for this server, or for any other that speaks OpenAI's API. Imports neither torch nor fastapi."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from tunesmith.core.errors import MissingError
from tunesmith.serve import remote
from tunesmith.serve.remote import Call, Messages, Texts

if TYPE_CHECKING:
    from tunesmith.serve.remote_model import RemoteModel

Found = TypeVar("Found")
RETRIES = 3


class Client:
    """Asks the models of the server at `url`. Options of a call are the fields of OpenAI's API.

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
        self._http = httpx.Client(base_url=self._url, headers=headers, timeout=timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def models(self) -> list[str]:
        """The names of the served models."""
        return [entry["id"] for entry in self._models()]

    def tasks(self) -> dict[str, str | None]:
        """What each served model does; None where the server does not say."""
        return {entry["id"]: entry.get("task") for entry in self._models()}

    def model(self, name: str) -> RemoteModel:
        """A served model that is asked, and answers, as one that was loaded here."""
        from tunesmith.serve.remote_model import RemoteModel

        return RemoteModel(self, name)

    def message(self, messages: Messages, *, model: str | None = None, **options: Any) -> dict[str, Any]:
        """The assistant's next turn with everything that belongs to it, calls of `tools` too."""
        return self._ask(remote.message(messages, options), model)

    def chat(self, messages: Messages, *, model: str | None = None, **options: Any) -> str:
        """The answer to a conversation, or to one message."""
        return self._ask(remote.chat(messages, options), model)

    def stream(self, messages: Messages, *, model: str | None = None, **options: Any) -> Iterator[str]:
        """The answer in pieces, as they come."""
        for event in self._events(remote.chat(messages, {**options, "stream": True}), model):
            yield from remote.pieces(event)

    def complete(self, prompt: str, *, model: str | None = None, **options: Any) -> str:
        """The continuation of a text."""
        return self._ask(remote.complete(prompt, options), model)

    def classify(self, texts: Texts, *, model: str | None = None) -> list[dict[str, Any]]:
        """For each text its label, the label's probability and all probabilities."""
        return self._ask(remote.rows("classify", texts), model)

    def tag(self, texts: Texts, *, model: str | None = None) -> list[list[dict[str, Any]]]:
        """For each text what is named in it: start, end, label, text and probability."""
        return self._ask(remote.column(remote.rows("tag", texts), "entities"), model)

    def answer(self, questions: Texts, contexts: Texts, *, model: str | None = None) -> list[dict[str, Any]]:
        """What the text beside each question answers: text, start, end and probability."""
        return self._ask(remote.answer(questions, contexts), model)

    def translate(self, texts: Texts, *, model: str | None = None, **options: Any) -> list[str]:
        """Each text in another language."""
        return self._ask(remote.column(remote.rows("translate", texts, options), "text"), model)

    def summarise(self, texts: Texts, *, model: str | None = None, **options: Any) -> list[str]:
        """Each text made short."""
        return self._ask(remote.column(remote.rows("summarise", texts, options), "text"), model)

    def embed(self, texts: Texts, *, model: str | None = None) -> list[list[float]]:
        """The vector of each text, of length 1."""
        return self._ask(remote.embed(texts), model)

    def score(self, texts: Texts, *, model: str | None = None) -> list[float]:
        """The number of each text."""
        return self._ask(remote.column(remote.rows("score", texts), "score"), model)

    def feedback(self, answer: str, **said: Any) -> None:
        """What you think of the answer with this id: `rating` good or bad, `correction`, `comment`."""
        remote.read(self._send("POST", "/v1/feedback", {"id": answer, **said}))

    def _models(self) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = remote.read(self._send("GET", "/v1/models"))["data"]
        return data

    def _body(self, call: Call[Any], model: str | None) -> dict[str, Any]:
        return {"model": model or remote.only(self._models(), call.task), **call.body}

    def _ask(self, call: Call[Found], model: str | None) -> Found:
        return call.read(remote.read(self._send("POST", call.path, self._body(call, model))))

    def _events(self, call: Call[Any], model: str | None) -> Iterator[Any]:
        response = self._send("POST", call.path, self._body(call, model), stream=True)
        try:
            if response.is_error:
                response.read()
                remote.read(response)
            for line in response.iter_lines():
                if event := remote.event(response, line):
                    yield event
        except httpx.TransportError as error:
            raise MissingError("S32", url=self._url, reason=str(error)) from error
        finally:
            response.close()

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, stream: bool = False
    ) -> httpx.Response:
        left = remote.pauses(self._retries)
        while True:
            pause = next(left, None)
            try:
                response = self._http.send(self._http.build_request(method, path, json=body), stream=stream)
            except httpx.TransportError as error:
                if pause is None or isinstance(error, httpx.TimeoutException):
                    raise MissingError("S32", url=self._url, reason=str(error)) from error
                wait: float | None = pause
            else:
                wait = remote.again(response, pause)
                if wait is None:
                    return response
                response.close()
            time.sleep(wait or 0)
