"""Load on a server that speaks OpenAI's API, and what it did: a user's view, over HTTP.

So many clients at once each send the next request as soon as the last one is answered (a closed loop).
Prompts differ from their first words on, so that no server may remember them. Imports neither
torch nor fastapi.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tunesmith.core.errors import MissingError, TunesmithError, UsageError

_WORDS = [
    a + b for a in ("ba", "de", "ki", "lo", "mu", "ra", "so", "ti") for b in ("n", "l", "r", "s", "ke", "mo")
]
_ASKING_S = 60  # for what a server serves


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent: `clients` at once for `seconds`, prompts of `words`, answers of up to `tokens`.

    An answer that is not there after `patience` seconds is an error.
    """

    clients: int = 8
    seconds: float = 10.0
    words: int = 100
    tokens: int = 128
    patience: float = 600.0
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One request. Times are in seconds from when it was sent; without a first token it was no stream."""

    took: float
    first: float | None = None
    prompt: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a load met: answers, errors by their kind, and the seconds from its begin to the last answer."""

    load: Load
    answers: tuple[Answered, ...]
    errors: Mapping[str, int]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Figures; times in milliseconds as their median and 95th percentile, None where there are none."""
        streamed = [a for a in self.answers if a.first is not None]
        per_token = [(a.took - a.first) / (a.tokens - 1) for a in streamed if a.first and a.tokens > 1]
        return {
            "clients": self.load.clients,
            "seconds": round(self.seconds, 3),
            "requests": len(self.answers),
            "requests_per_second": round(len(self.answers) / self.seconds, 3),
            "prompt_tokens": sum(a.prompt for a in self.answers),
            "tokens": sum(a.tokens for a in self.answers),
            "tokens_per_second": round(sum(a.tokens for a in self.answers) / self.seconds, 2),
            "first_token_ms": _quantiles([a.first for a in streamed if a.first is not None]),
            "per_token_ms": _quantiles(per_token),
            "latency_ms": _quantiles([a.took for a in self.answers]),
            "errors": dict(self.errors),
        }


async def measure(
    url: str, load: Load, *, model: str | None = None, key: str | None = None, task: str | None = None
) -> Measured:
    """Put a load on the server at `url`. `model` and its `task` are asked for where they are not given.

    Raises:
        MissingError: S32 when no server answers.
        UsageError: S33 when a model has to be named.
        TunesmithError: S71 when not one request was answered.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=load.clients)
    root = url.rstrip("/").removesuffix("/v1")
    # `patience` bounds an answer as a whole.
    async with httpx.AsyncClient(base_url=root, headers=headers, timeout=None, limits=limits) as http:  # noqa: S113
        model, task = await _which(http, model, task)
        ask = _classify if task == "classify" else _chat
        answers: list[Answered] = []
        errors: Counter[str] = Counter()
        start = time.perf_counter()

        async def client(number: int) -> None:
            words = random.Random(number)  # noqa: S311  any words will do
            while time.perf_counter() - start < load.seconds:
                try:
                    async with asyncio.timeout(load.patience):
                        answers.append(await ask(http, model, prompt(words, load), load))
                except (httpx.HTTPError, _RefusedError, TimeoutError, ValueError, KeyError) as error:
                    errors[_kind(error)] += 1
                    await asyncio.sleep(0.1)  # who is refused does not ask again at once

        await asyncio.gather(*(client(number) for number in range(load.clients)))
        seconds = time.perf_counter() - start
    if not answers:
        raise TunesmithError("S71", url=url, errors=", ".join(f"{k}: {n}" for k, n in errors.items()))
    return Measured(load=load, answers=tuple(answers), errors=errors, seconds=seconds)


def prompt(words: random.Random, load: Load) -> str:
    """The next prompt of a client."""
    return " ".join(words.choices(_WORDS, k=load.words))


class _RefusedError(Exception):
    """A status that is not 200, or an error in a stream."""


def _kind(error: Exception) -> str:
    return str(error) if isinstance(error, _RefusedError) else type(error).__name__


async def _which(http: httpx.AsyncClient, model: str | None, task: str | None) -> tuple[str, str]:
    """A model and what it does; servers that do not say what theirs do are taken to chat."""
    if model is not None and task is not None:
        return model, task
    try:
        found = (await http.get("/v1/models", timeout=_ASKING_S)).raise_for_status().json()["data"]
    except httpx.TransportError as error:
        raise MissingError("S32", url=str(http.base_url), reason=str(error)) from error
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise TunesmithError("S71", url=str(http.base_url), errors=str(error)) from error
    known = {entry["id"]: entry.get("task") or "generate" for entry in found}
    if model is None and len(known) != 1:
        raise UsageError("S33", known=", ".join(known) or "-")
    model = model or next(iter(known))
    return model, task or known.get(model, "generate")


async def _classify(http: httpx.AsyncClient, model: str, text: str, load: Load) -> Answered:
    start = time.perf_counter()
    answer = await http.post("/v1/classify", json={"model": model, "input": [text], **load.extra})
    if answer.status_code != 200:
        raise _RefusedError(str(answer.status_code))
    return Answered(took=time.perf_counter() - start)


async def _chat(http: httpx.AsyncClient, model: str, text: str, load: Load) -> Answered:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "max_tokens": load.tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
        **load.extra,
    }
    start, first, pieces = time.perf_counter(), None, 0
    usage: dict[str, Any] = {}
    async with http.stream("POST", "/v1/chat/completions", json=body) as answer:
        if answer.status_code != 200:
            raise _RefusedError(str(answer.status_code))
        async for event in _events(answer):
            usage = event.get("usage") or usage
            if any((choice.get("delta") or {}).get("content") for choice in event.get("choices") or ()):
                first = first or time.perf_counter() - start
                pieces += 1
    # A server that does not count says so many pieces, which are tokens as a rule.
    return Answered(
        took=time.perf_counter() - start,
        first=first,
        prompt=usage.get("prompt_tokens") or 0,
        tokens=usage.get("completion_tokens") or pieces,
    )


async def _events(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.aiter_lines():
        if line.startswith("data:") and (said := line[5:].strip()) != "[DONE]":
            event: dict[str, Any] = json.loads(said)
            if event.get("error"):
                raise _RefusedError(str(event["error"].get("code") or "error in a stream"))
            yield event


def _quantiles(seconds: list[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    ordered = sorted(seconds)
    return {
        name: round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)
        for name, share in (("p50", 0.5), ("p95", 0.95))
    }
