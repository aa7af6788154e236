"""What a server did, counted for Prometheus: requests by route, tokens and waiting times by model."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith.serve.deployments import Deployments
from tunesmith.serve.meter import ASKED, Histogram, Meter

_DESCRIBED: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string", "maxLength": 2**26}}}}
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class Requests:
    """Finished requests by route and status, and how long they took; `running` are not finished."""

    finished: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: dict[str, Histogram] = field(default_factory=dict)
    running: int = 0
    shadows: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # see `shadowing.Outcomes`


class Counted:
    """Counts every request by the route that it was for; what has no route is one route together."""

    def __init__(self, app: ASGIApp, *, requests: Requests, routes: Iterable[str]) -> None:
        self._app = app
        self._requests = requests
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = scope["path"] if scope["path"] in self._routes else "other"
        status, begun = 499, time.perf_counter()  # 499: the client went away before an answer began

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        self._requests.running += 1
        asked: list[Meter] = []
        ASKED.set(asked)
        try:
            await self._app(scope, receive, noted)
        finally:
            self._requests.running -= 1
            self._requests.finished[route, status] += 1
            took = time.perf_counter() - begun
            self._requests.seconds.setdefault(route, Histogram()).add(took)
            for meter in asked:
                meter.answered(took, status)


def add_route(app: FastAPI, deployments: Deployments, requests: Requests) -> None:
    """Put the route that tells of everything counted into `app`."""

    @app.get("/metrics", response_class=PlainTextResponse, responses={200: _DESCRIBED})
    async def metrics() -> Response:
        """Counts and times in the text format of Prometheus."""
        return Response("".join(_page(deployments, requests)), media_type=_TYPE)


def _page(deployments: Deployments, requests: Requests) -> Iterator[str]:
    finished = {_labels(route=r, status=s): count for (r, s), count in sorted(requests.finished.items())}
    yield _metric("requests_total", "counter", "Finished requests.", finished)
    yield _metric("requests_running", "gauge", "Requests that are being answered.", {"": requests.running})
    times = {_labels(route=route): found for route, found in sorted(requests.seconds.items())}
    yield _histogram("request_seconds", "From the first byte of a request to the last of its answer.", times)
    compared = {_labels(model=m, shadow=s, outcome=o): n for (m, s, o), n in sorted(requests.shadows.items())}
    yield _metric("shadow_requests_total", "counter", "Requests that a shadow was asked too.", compared)
    refused = {_labels(label=m, release=r): times for m, (r, times) in sorted(deployments.refused.items())}
    yield _metric("releases_refused", "gauge", "Tries of a release that an alias points to in vain.", refused)
    models = {_labels(model=deployment.name): deployment for deployment in deployments}
    meters = {labels: deployment.meter for labels, deployment in models.items()}
    stats = {labels: deployment.engine.stats() for labels, deployment in models.items()}
    for name, text, counts in (
        ("prompt_tokens_total", "Tokens read.", {m: meter.prompt_tokens for m, meter in meters.items()}),
        ("new_tokens_total", "Tokens written.", {m: meter.new_tokens for m, meter in meters.items()}),
    ):
        yield _metric(name, "counter", text, counts)
    first = {m: meter.first_token for m, meter in meters.items()}
    yield _histogram("first_token_seconds", "From a request to the first token of its answer.", first)
    for name, text, counts in (
        (
            "engine_running",
            "Sequences or requests that are being computed.",
            {m: s.running for m, s in stats.items()},
        ),
        ("engine_waiting", "Sequences or requests that wait.", {m: s.waiting for m, s in stats.items()}),
        ("engine_healthy", "Whether an engine works.", {m: int(s.healthy) for m, s in stats.items()}),
    ):
        yield _metric(name, "gauge", text, counts)


def _metric(name: str, kind: str, text: str, values: Mapping[str, float]) -> str:
    lines = [f"tunesmith_{name}{labels} {value}" for labels, value in values.items()]
    return "\n".join((*_head(name, kind, text), *lines, ""))


def _histogram(name: str, text: str, values: Mapping[str, Histogram]) -> str:
    lines = _head(name, "histogram", text)
    for labels, found in values.items():
        inner = labels.strip("{}")
        for bound, count in found.cumulative():
            lines.append(f'tunesmith_{name}_bucket{{{inner},le="{bound}"}} {count}')
        lines.append(f"tunesmith_{name}_sum{labels} {found.total}")
        lines.append(f"tunesmith_{name}_count{labels} {found.count}")
    return "\n".join((*lines, ""))


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP tunesmith_{name} {text}", f"# TYPE tunesmith_{name} {kind}"]


def _labels(**labels: object) -> str:
    quoted = {name: str(value).replace("\\", "\\\\").replace('"', '\\"') for name, value in labels.items()}
    written = ",".join(f'{name}="{value}"' for name, value in quoted.items())
    return "{" + written.replace("\n", "\\n") + "}"
