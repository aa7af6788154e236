"""Who may ask: the Host allow-list, then the key that a route's policy asks for. Both before any routing.

Binding to loopback does not protect from a web page that rebinds its name to 127.0.0.1: such a request
carries the page's host, and nothing else tells it apart. Hence the allow-list comes first.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tunesmith.core.errors import TunesmithError
from tunesmith.core.store import Key, Store
from tunesmith.serve import errors
from tunesmith.serve.caller import CALLER
from tunesmith.serve.extension import Extension
from tunesmith.serve.policies import Policies
from tunesmith.serve.reach import LOOPBACK
from tunesmith.serve.usage import KEY as KEY_OF

_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9._-]{1,253}))(?::(?P<port>\d{1,5}))?")


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
    """Asks for a key or a session where the policy of the route says so; where no policy is known, too."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        store: Store | None,
        required: bool,
        policies: Policies,
        extension: Extension | None = None,
    ) -> None:
        self._app = app
        self._store = store
        self._required = required and store is not None
        self._policies = policies
        self._extension = extension

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse."""
        refusal = await self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await errors.response(refusal, Headers(scope=scope))(scope, receive, send)

    async def _refusal(self, scope: Scope) -> TunesmithError | None:
        policy = self._policies.of(scope["method"], scope["path"])
        if policy.access == "public":
            return None
        secret = bearer(Headers(scope=scope))
        if policy.access == "key" and not self._required:
            await self._identify(scope, secret)
            return None
        if self._extension is not None and (policy.access == "session" or secret is None):
            return await self._extension.refusal(scope, policy)
        key = await self._identify(scope, secret)
        if key is None:
            return TunesmithError("S14")
        return None if policy.scope in key.scopes else TunesmithError("S15", scope=policy.scope)

    async def _identify(self, scope: Scope, secret: str | None) -> Key | None:
        """The key of a request, known from now on as its caller. Whose key is no longer valid has none."""
        if self._store is None or not secret:
            return None
        # Asked anew for every request, so that a revoked key is worthless at once.
        key = await run_in_threadpool(self._store.find_key, secret)
        if key is not None:
            CALLER.set(key.id)
            scope[KEY_OF] = key
        return key


def bearer(headers: Headers) -> str | None:
    """The key that a request brings; empty when what it brings cannot be one, None when it brings nothing."""
    given = headers.getlist("authorization")
    if not given:
        return None
    kind, _, secret = given[0].partition(" ")
    return secret.strip() if len(given) == 1 and kind.lower() == "bearer" else ""
