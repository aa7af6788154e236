"""A client for this server, or for any other that speaks OpenAI's API. Imports neither torch nor fastapi."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import httpx

from tunesmith.core.errors import MissingError, NotFoundError, TunesmithError, UsageError

Messages = str | Sequence[Mapping[str, str]]

_CLASSES = {400: UsageError, 401: UsageError, 403: UsageError, 404: NotFoundError, 413: UsageError}


class Client:
    """Asks the models of the server at `url`. Options of a call are the fields of OpenAI's API.

    `model` may be left out where one model of the server fits. Use it as a context manager, or close it.

    Raises:
        TunesmithError: S31 (or the class that fits its status) with what the server said.
        MissingError: S32 when no server answers.
        UsageError: S33 when a model has to be named.
    """

    def __init__(self, url: str, key: str | None = None, *, timeout: float = 300.0) -> None:
        self._url = url.rstrip("/").removesuffix("/v1")
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

    def chat(self, messages: Messages, *, model: str | None = None, **options: Any) -> str:
        """The answer to a conversation, or to one message."""
        body = {"model": model or self._only("generate"), "messages": _turns(messages), **options}
        answer: str = self._post("/v1/chat/completions", body)["choices"][0]["message"]["content"]
        return answer

    def stream(self, messages: Messages, *, model: str | None = None, **options: Any) -> Iterator[str]:
        """The answer in pieces, as they come."""
        body = {"model": model or self._only("generate"), "messages": _turns(messages), **options}
        for event in self._events("/v1/chat/completions", {**body, "stream": True}):
            for choice in event["choices"]:
                if text := choice["delta"].get("content"):
                    yield text

    def complete(self, prompt: str, *, model: str | None = None, **options: Any) -> str:
        """The continuation of a text."""
        body = {"model": model or self._only("generate"), "prompt": prompt, **options}
        text: str = self._post("/v1/completions", body)["choices"][0]["text"]
        return text

    def classify(self, texts: str | Sequence[str], *, model: str | None = None) -> list[dict[str, Any]]:
        """For each text its label, the label's probability and all probabilities."""
        given = [texts] if isinstance(texts, str) else list(texts)
        body = {"model": model or self._only("classify"), "input": given}
        data: list[dict[str, Any]] = self._post("/v1/classify", body)["data"]
        return data

    def embed(self, texts: str | Sequence[str], *, model: str | None = None) -> list[list[float]]:
        """The vector of each text, of length 1."""
        given = [texts] if isinstance(texts, str) else list(texts)
        body = {"model": model or self._only("embed"), "input": given}
        return [row["embedding"] for row in self._post("/v1/embeddings", body)["data"]]

    def score(self, texts: str | Sequence[str], *, model: str | None = None) -> list[float]:
        """The number of each text."""
        given = [texts] if isinstance(texts, str) else list(texts)
        body = {"model": model or self._only("score"), "input": given}
        return [row["score"] for row in self._post("/v1/score", body)["data"]]

    def _models(self) -> list[dict[str, Any]]:
        data: list[dict[str, Any]] = self._answer(self._send("GET", "/v1/models"))["data"]
        return data

    def _only(self, task: str) -> str:
        fitting = [entry["id"] for entry in self._models() if entry.get("task", task) == task]
        if len(fitting) != 1:
            raise UsageError("S33", known=", ".join(fitting) or "-")
        name: str = fitting[0]
        return name

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._answer(self._send("POST", path, body))

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        try:
            return self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            raise MissingError("S32", url=self._url, reason=str(error)) from error

    def _events(self, path: str, body: Mapping[str, Any]) -> Iterator[Any]:
        try:
            with self._http.stream("POST", path, json=body) as response:
                if response.is_error:
                    response.read()
                    self._answer(response)
                yield from self._data(response)
        except httpx.TransportError as error:
            raise MissingError("S32", url=self._url, reason=str(error)) from error

    def _data(self, response: httpx.Response) -> Iterator[Any]:
        for line in response.iter_lines():
            if line == "data: [DONE]":
                return
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                if "error" in event:
                    raise self._refusal(response.status_code, event["error"]["message"])
                yield event

    def _answer(self, response: httpx.Response) -> Any:
        try:
            content = response.json()
        except ValueError:
            content = {"error": {"message": response.text[:500]}}
        if response.is_error or "error" in content:
            message = content["error"]["message"] if "error" in content else response.reason_phrase
            raise self._refusal(response.status_code, message)
        return content

    def _refusal(self, status: int, message: str) -> TunesmithError:
        kind = _CLASSES.get(status, TunesmithError)
        return kind("S31", url=self._url, status=status, reason=message)


def _turns(messages: Messages) -> list[dict[str, str]]:
    if isinstance(messages, str):
        return [{"role": "user", "content": messages}]
    return [dict(message) for message in messages]
