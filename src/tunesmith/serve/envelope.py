"""What is around every request: an id, safe headers, a limit on the body, and an answer even when we fail."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.core.errors import TunesmithError
from tunesmith.serve import errors
from tunesmith.serve.policies import Policies

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}

logger = logging.getLogger(__name__)


class Envelope:
    """The outermost layer: request id, headers, and a plain 500 for what nobody expected."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = scope["tunesmith.request"] = uuid.uuid4().hex
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = identity
            await send(message)

        try:
            await self._app(scope, receive, dressed)
        except Exception:
            # The path may hold anything: repr keeps it on one line of the log.
            logger.exception("request %s failed: %s %r", identity, scope["method"], scope["path"])
            if not started:
                failure = TunesmithError("S18", id=identity)
                await errors.response(failure, Headers(scope=scope))(scope, receive, dressed)


class BodyLimit:
    """Stops reading a body that is declared or turns out to be longer than its route's policy allows."""

    def __init__(self, app: ASGIApp, *, policies: Policies) -> None:
        self._app = app
        self._policies = policies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._policies.of(scope["method"], scope["path"]).body
        declared = Headers(scope=scope).get("content-length", "")
        too_long = declared.isdecimal() and int(declared) > most
        read = 0

        async def limited() -> Message:
            nonlocal read
            if too_long:
                raise HTTPException(413)
            message = await receive()
            # Counted whatever was declared: a body in chunks may be longer than it says.
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(413)
            return message

        await self._app(scope, limited, send)


class StrictRoute(APIRoute):
    """A route whose JSON bodies are taken by the letter: no key twice, no NaN."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given a request that parses strictly."""
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return strict


class _StrictRequest(Request):
    async def json(self) -> Any:
        content = await self.body()
        try:
            return json.loads(content, object_pairs_hook=_unique, parse_constant=_no_constant)
        except json.JSONDecodeError:
            raise
        except (ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, _DoubtfulError) else "not readable as JSON"
            raise json.JSONDecodeError(reason, "", 0) from error


class _DoubtfulError(ValueError):
    """JSON that different readers understand differently."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _DoubtfulError("a key is given twice")
    return found


def _no_constant(name: str) -> None:
    raise _DoubtfulError(f"{name} is not JSON")
