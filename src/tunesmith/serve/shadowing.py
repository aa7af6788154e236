"""Shadow traffic: some requests for a model are asked of another too, once they were answered, and compared.

Nobody waits for a shadow and nobody sees what it says; it is only counted whether it says the same.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.serve.deployments import Deployments
from tunesmith.serve.recording import read

# Requests and answers beyond this are not compared.
_LONGEST = 2**20
# So many at once; what comes meanwhile is skipped.
_AT_ONCE = 4
_COMPARED = frozenset(
    f"/v1/{route}"
    for route in ("chat/completions", "completions", "classify", "tag", "answer", "translate", "summarise")
)
# What of an item of an answer is the answer; the rest are numbers and names that differ anyway.
_SAID = ("label", "labels", "text", "entities")

logger = logging.getLogger(__name__)


Outcomes = Counter[tuple[str, str, str]]
"""How often by model, shadow, and: same, different, failed or skipped."""


class Shadowed:
    """Asks shadows what their models were asked, after the answer; counts what comes of it in `outcomes`."""

    def __init__(self, app: ASGIApp, *, deployments: Deployments, outcomes: Outcomes) -> None:
        self._app = app
        self._deployments = deployments
        self._outcomes = outcomes
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] not in _COMPARED or not self._deployments.has_shadows:
            await self._app(scope, receive, send)
            return
        asked, answered, status = bytearray(), bytearray(), 0

        async def heard() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def said(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            if len(answered) <= _LONGEST:
                answered.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, heard, said)
        if status == 200 and max(len(asked), len(answered)) <= _LONGEST:
            self._begin(scope, json.loads(asked), bytes(answered))

    def _begin(self, scope: Scope, asked: dict[str, Any], answered: bytes) -> None:
        """Ask the shadow of who answered, if it has one and it is its turn."""
        name = asked["model"]
        shadow = self._deployments.shadow_of(name)
        if shadow is None or random.random() >= shadow[1]:  # noqa: S311  which request it is does not matter
            return
        if len(self._running) >= _AT_ONCE:
            self._outcomes[name, shadow[0], "skipped"] += 1
            return
        task = asyncio.create_task(self._compare(scope, {**asked, "model": shadow[0]}, name, answered))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _compare(self, scope: Scope, asked: dict[str, Any], name: str, answered: bytes) -> None:
        try:
            status, body = await self._ask(scope, asked)
            same = "same" if said_in(body) == said_in(answered) else "different"
            outcome = same if status == 200 else "failed"
        except Exception:
            logger.exception("a shadow could not be asked")
            outcome = "failed"
        self._outcomes[name, asked["model"], outcome] += 1

    async def _ask(self, scope: Scope, asked: dict[str, Any]) -> tuple[int, bytes]:
        body, status, answer = json.dumps(asked).encode(), 0, bytearray()
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        waits = asyncio.Event()  # the shadow's client never leaves
        parts = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if not parts:
                await waits.wait()
            return parts.pop()

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            answer.extend(message.get("body", b""))

        own = {key: value for key, value in scope.items() if key in _KEPT}
        await self._app({**own, "headers": headers, "state": {}}, receive, send)
        return status, bytes(answer)


_KEPT = ("type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path",
         "client", "server", "app")  # fmt: skip


def said_in(body: bytes) -> Any:
    """What an answer says, without ids, times and probabilities."""
    answer = read(body)
    if "texts" in answer:
        return answer["texts"]
    if "choices" in answer:
        return [_text(choice) for choice in answer["choices"]]
    return [{key: _plain(item[key]) for key in _SAID if key in item} for item in answer.get("data", ())]


def _text(choice: Mapping[str, Any]) -> str:
    message = choice.get("message", choice)
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    called = "".join(f"{call['name']}{call['arguments']}" for call in calls)
    return str(message.get("content") or message.get("text") or "") + called


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return {k: v for k, v in value.items() if k != "probability"} if isinstance(value, dict) else value
