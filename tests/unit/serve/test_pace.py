"""One key's pace: what is too fast is told when to come back, and nobody else is."""

from __future__ import annotations

import asyncio

import httpx
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tunesmith.serve.caller import CALLER
from tunesmith.serve.pace import Pace, Paced


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(0.02)
    await PlainTextResponse("done")(scope, receive, send)


def keyed(app: ASGIApp) -> ASGIApp:
    """The caller is who the header says."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        CALLER.set(dict(scope["headers"]).get(b"x-key", b"").decode())
        await app(scope, receive, send)

    return call


def statuses(
    app: ASGIApp, *keys: str, method: str = "POST", path: str = "/v1/x"
) -> list[tuple[int, str | None]]:
    """What requests that come at the same time are told."""

    async def play() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=keyed(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
            asked = [http.request(method, path, headers={"x-key": key}) for key in keys]
            return await asyncio.gather(*asked)

    return [(answer.status_code, answer.headers.get("retry-after")) for answer in asyncio.run(play())]


def test_a_minutes_requests_come_back_evenly() -> None:
    now = [0.0]
    app = Paced(slow, pace=Pace(per_minute=6), clock=lambda: now[0])
    assert statuses(app, *"aaaaaaa") == [(200, None)] * 6 + [(429, "10")]
    assert statuses(app, "b") == [(200, None)]
    now[0] = 9.0
    assert statuses(app, "a") == [(429, "1")]
    now[0] = 10.0
    assert statuses(app, "a", "a") == [(200, None), (429, "10")]


def test_only_so_many_at_once() -> None:
    app = Paced(slow, pace=Pace(at_once=2))
    assert statuses(app, *"aaab") == [(200, None), (200, None), (429, "1"), (200, None)]
    assert statuses(app, "a", "a") == [(200, None)] * 2


def test_looking_is_not_asking() -> None:
    app = Paced(slow, pace=Pace(per_minute=1))
    assert statuses(app, *"aaa", method="GET") == [(200, None)] * 3
    assert statuses(app, *"aaa", path="/api/labelling/x/next") == [(200, None)] * 3
