"""Who may ask: the Host allow-list, then the key that a route's policy asks for. Both before any routing.

Binding to loopback does not protect from a web page that rebinds its name to 127.0.0.1: such a request
carries the page's host, and nothing else tells it apart. Hence the allow-list comes first.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tunesmith.core.errors import TunesmithError
from tunesmith.core.store import Store
from tunesmith.serve import errors
from tunesmith.serve.caller import CALLER

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SCOPE = "serve"
_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9._-]{1,253}))(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a route asks of who calls it: nothing, or a key with a scope."""

    access: Literal["public", "key"]
    scope: str = SCOPE


PUBLIC, KEY = Policy("public"), Policy("key")

# Every route of the server. A path that is not here asks for a key before it is said not to exist.
POLICIES = {
    ("GET", "/health"): PUBLIC,
    ("GET", "/ready"): PUBLIC,
    ("GET", "/metrics"): KEY,
    ("POST", "/v1/feedback"): KEY,
    ("GET", "/openapi.json"): KEY,
    ("GET", "/v1/models"): KEY,
    ("GET", "/v1/models/{name:path}"): KEY,
    ("POST", "/v1/chat/completions"): KEY,
    ("POST", "/v1/completions"): KEY,
    ("POST", "/v1/responses"): KEY,
    ("POST", "/v1/classify"): KEY,
    ("POST", "/v1/embeddings"): KEY,
    ("POST", "/v1/score"): KEY,
    ("POST", "/v1/tag"): KEY,
    ("POST", "/v1/answer"): KEY,
    ("POST", "/v1/translate"): KEY,
    ("POST", "/v1/summarise"): KEY,
    ("POST", "/v1/tokenize"): KEY,
    ("POST", "/v1/detokenize"): KEY,
}


def require_policies(app: FastAPI) -> None:
    """Check that every route of `app` is in the table.

    Raises:
        TunesmithError: S27 naming a route that is not.
    """
    for path, methods in _routes(app):
        for method in methods - {"HEAD"}:
            if (method, path) not in POLICIES:
                raise TunesmithError("S27", route=f"{method} {path}")


def _routes(app: FastAPI) -> list[tuple[str, set[str]]]:
    return [(getattr(r, "path", str(r)), set(getattr(r, "methods", None) or {"?"})) for r in app.routes]


def is_loopback(host: str) -> bool:
    """Whether a host, as given to bind to, is reachable from this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class HostGuard:
    """Refuses requests whose Host is not one of ours, whatever their path, method or key.

    Allowed are loopback names with any port, `hosts` (`name` with any port, or `name:port`), and the very
    address the connection came in at: to send that, a client has to have dialled it, not a name.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str]) -> None:
        self._app = app
        self._hosts = LOOPBACK | {host.lower().strip("[]") for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse."""
        if scope["type"] == "lifespan" or self._allows(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            refusal = errors.response(TunesmithError("S13"), Headers(scope=scope))
            await refusal(scope, receive, send)

    def _allows(self, scope: Scope) -> bool:
        given = Headers(scope=scope).getlist("host")
        match = _HOST.fullmatch(given[0].lower()) if len(given) == 1 else None
        if match is None:
            return False
        name = match["v6"] or match["name"]
        return name in self._hosts or f"{name}:{match['port']}" in self._hosts or _dialled(name, scope)


def _dialled(name: str, scope: Scope) -> bool:
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address((scope.get("server") or ("",))[0])
    except ValueError:
        return False


class KeyGuard:
    """Asks for a key where the policy of the route says so; where no policy is known, too."""

    def __init__(self, app: ASGIApp, *, store: Store | None) -> None:
        self._app = app
        self._store = store  # None: no keys are asked for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse."""
        refusal = await self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await errors.response(refusal, Headers(scope=scope))(scope, receive, send)

    async def _refusal(self, scope: Scope) -> TunesmithError | None:
        policy = POLICIES.get((scope["method"], scope["path"]), KEY)
        if self._store is None or policy.access == "public":
            return None
        given = Headers(scope=scope).getlist("authorization")
        kind, _, secret = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if kind.lower() != "bearer" or not secret.strip():
            return TunesmithError("S14")
        # Asked anew for every request, so that a revoked key is worthless at once.
        key = await run_in_threadpool(self._store.find_key, secret.strip())
        if key is None:
            return TunesmithError("S14")
        CALLER.set(key.id)
        return None if policy.scope in key.scopes else TunesmithError("S15", scope=policy.scope)
