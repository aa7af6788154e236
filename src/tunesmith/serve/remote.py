"""What our clients send and how they read answers, whether they wait for them or not: no connection here."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx

from tunesmith.core.errors import NotFoundError, TunesmithError, UsageError

Messages = str | Sequence[Mapping[str, Any]]
Texts = str | Sequence[str]
Found = TypeVar("Found")

_CLASSES = {400: UsageError, 401: UsageError, 403: UsageError, 404: NotFoundError, 413: UsageError}
# The server has not begun with such a request, or another one may.
_AGAIN = (408, 429, 502, 503)
_FIRST_PAUSE = 0.25  # seconds; doubled at every try
_LONGEST_PAUSE = 20.0


@dataclass(frozen=True, slots=True)
class Call(Generic[Found]):
    """A request, for models of a task, and how its answer is read."""

    task: str
    path: str
    body: Mapping[str, Any]
    read: Callable[[Any], Found]


def message(messages: Messages, options: Mapping[str, Any]) -> Call[dict[str, Any]]:
    """The assistant's next turn with everything that belongs to it."""
    body = {"messages": turns(messages), **_options(options)}
    return Call("generate", "/v1/chat/completions", body, lambda found: found["choices"][0]["message"])


def chat(messages: Messages, options: Mapping[str, Any]) -> Call[str]:
    """The text of the assistant's next turn."""
    whole = message(messages, options)
    return Call("generate", whole.path, whole.body, lambda found: whole.read(found)["content"] or "")


def complete(prompt: str, options: Mapping[str, Any]) -> Call[str]:
    """The continuation of a text."""
    body = {"prompt": prompt, **_options(options)}
    return Call("generate", "/v1/completions", body, lambda found: found["choices"][0]["text"])


def rows(task: str, texts: Any, options: Mapping[str, Any] | None = None) -> Call[list[dict[str, Any]]]:
    """What a task finds for each text."""
    body = {"input": [texts] if isinstance(texts, str) else list(texts), **(options or {})}
    return Call(task, f"/v1/{task}", body, lambda found: found["data"])


def column(call: Call[list[dict[str, Any]]], name: str) -> Call[list[Any]]:
    """One thing of each row."""
    return Call(call.task, call.path, call.body, lambda found: [row[name] for row in call.read(found)])


def embed(texts: Texts) -> Call[list[list[float]]]:
    """The vector of each text."""
    call = rows("embed", texts)
    return column(Call(call.task, "/v1/embeddings", call.body, call.read), "embedding")


def answer(questions: Texts, contexts: Texts) -> Call[list[dict[str, Any]]]:
    """What the text beside each question answers."""
    asked = [questions] if isinstance(questions, str) else questions
    given = [contexts] if isinstance(contexts, str) else contexts
    pairs = [{"question": q, "context": c} for q, c in zip(asked, given, strict=True)]
    return rows("answer", pairs)


def turns(messages: Messages) -> list[dict[str, Any]]:
    """A conversation; one text is the user's."""
    if isinstance(messages, str):
        return [{"role": "user", "content": messages}]
    return [dict(turn) for turn in messages]


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options by the names of the API; a local model calls one of them differently."""
    return {"max_tokens" if name == "max_new_tokens" else name: value for name, value in given.items()}


def only(models: Sequence[Mapping[str, Any]], task: str) -> str:
    """The one model that does a task.

    Raises:
        UsageError: S33 when there is none, or more.
    """
    fitting = [entry["id"] for entry in models if entry.get("task", task) == task]
    if len(fitting) != 1:
        raise UsageError("S33", known=", ".join(fitting) or "-")
    name: str = fitting[0]
    return name


def pauses(tries: int) -> Iterator[float]:
    """Seconds to wait before each further try: growing, and not the same for everybody."""
    for number in range(tries):
        yield min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**number) * random.uniform(0.5, 1.0)  # noqa: S311


def again(response: httpx.Response, pause: float | None) -> float | None:
    """How long to wait before a refused request is sent again; None when it is not to be."""
    if pause is None or response.status_code not in _AGAIN:
        return None
    said = response.headers.get("retry-after", "")
    return min(_LONGEST_PAUSE, max(pause, float(said))) if said.isdecimal() else pause


def read(response: httpx.Response) -> Any:
    """The content of an answer.

    Raises:
        TunesmithError: S31 with what the server said when it refused.
    """
    try:
        content = response.json()
    except ValueError:
        content = {"error": {"message": response.text[:500]}}
    told = content.get("error") if isinstance(content, dict) else None
    if response.is_error or told:
        raise refusal(response, _reason(told) or response.reason_phrase)
    return content


def _reason(error: Any) -> str:
    """What an error says; some servers give its message alone."""
    said = error.get("message") if isinstance(error, dict) else error
    return str(said or "")


def refusal(response: httpx.Response, reason: str) -> TunesmithError:
    """What the server said, in the class that fits its status."""
    kind = _CLASSES.get(response.status_code, TunesmithError)
    url = str(response.request.url.copy_with(path="/"))
    return kind("S31", url=url.rstrip("/"), status=response.status_code, reason=reason)


def event(response: httpx.Response, line: str) -> Any:
    """The event on a line of a stream, or None where there is none.

    Raises:
        TunesmithError: S31 for an error in the middle.
    """
    if not line.startswith("data: {"):
        return None
    found = json.loads(line.removeprefix("data: "))
    if "error" in found:
        raise refusal(response, _reason(found["error"]))
    return found


def pieces(found: Any) -> Iterator[str]:
    """The new text in an event."""
    for choice in found["choices"]:
        if text := choice["delta"].get("content"):
            yield text
