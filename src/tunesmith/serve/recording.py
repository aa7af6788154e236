"""Puts requests and their answers into the request log, and takes in what people say of answers."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.core.errors import NotFoundError
from tunesmith.serve.answers import Kept
from tunesmith.serve.caller import CALLER
from tunesmith.serve.feedback_schemas import FeedbackRequest
from tunesmith.serve.request_log import RequestLog

# Answers beyond this are kept without what they say.
_LONGEST = 2**20
# Vectors are no words.
_SILENT = frozenset({"/v1/embeddings", "/v1/tokenize", "/v1/detokenize"})
REQUEST = "tunesmith.request"


def add_route(app: FastAPI, log: RequestLog | None) -> None:
    """Put the route for opinions on answers into `app`."""

    @app.post("/v1/feedback")
    async def feedback(wishes: FeedbackRequest) -> Kept:
        """What somebody thinks of an answer, or should have been said."""
        if log is None:
            raise NotFoundError("S46")
        said = wishes.model_dump(exclude={"id"}, exclude_none=True)
        log.judge(wishes.id, CALLER.get(), said)
        return Kept(id=wishes.id)


class Recorded:
    """Hands every request to a model to the log, once it was answered."""

    def __init__(self, app: ASGIApp, *, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith("/v1/") or path == "/v1/feedback":
            await self._app(scope, receive, send)
            return
        asked, answered, status, begun = bytearray(), bytearray(), 499, time.time()

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

        try:
            await self._app(scope, heard, said)
        finally:
            if scope["method"] == "POST":
                answer = {} if path in _SILENT or len(answered) > _LONGEST else read(bytes(answered))
                self._log.add(
                    {
                        "route": path,
                        "request_id": scope.get(REQUEST, ""),
                        "id": answer.get("id"),
                        "key": CALLER.get(),
                        "status": status,
                        "seconds": round(time.time() - begun, 4),
                        "request": _json(bytes(asked)),
                        "answer": answer,
                    }
                )


def read(body: bytes) -> dict[str, Any]:
    """An answer as JSON; of a stream the texts of its events, put together, under the id of the first."""
    whole = _json(body)
    if isinstance(whole, dict):
        return whole
    events = [_json(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: {")]
    found = [event for event in events if isinstance(event, dict)]
    texts: dict[int, str] = {}
    for event in found:
        for choice in event.get("choices") or [event]:
            text = _text(choice)
            texts[choice.get("index", 0)] = texts.get(choice.get("index", 0), "") + text
    first = found[0] if found else {}
    identity = first.get("id") or first.get("response", {}).get("id")
    return {"id": identity, "texts": [texts[index] for index in sorted(texts)]}


def _text(choice: Mapping[str, Any]) -> str:
    # An event with a type of its own that has a whole text repeats what its deltas said.
    delta = choice.get("delta") or ("" if "type" in choice else choice.get("text")) or ""
    if isinstance(delta, str):
        return delta
    calls = [call.get("function", {}) for call in delta.get("tool_calls") or ()]
    called = "".join(str(call.get("name") or "") + str(call.get("arguments") or "") for call in calls)
    return str(delta.get("content") or "") + called


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
