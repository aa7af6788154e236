"""The HTTP application: routes over deployments, inside the layers that guard them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

from fastapi import FastAPI

import tunesmith
from tunesmith.core.errors import UsageError
from tunesmith.core.store import Store
from tunesmith.serve import (
    chat,
    classify,
    completions,
    embeddings,
    errors,
    health,
    metrics,
    models,
    recording,
    responses,
    tasks,
    tokenize,
)
from tunesmith.serve.answers import ErrorBody
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.envelope import BodyLimit, Envelope, StrictRoute
from tunesmith.serve.extension import Extension
from tunesmith.serve.pace import Pace, Paced
from tunesmith.serve.policies import POLICIES, Policies
from tunesmith.serve.request_log import RequestLog
from tunesmith.serve.security import HostGuard, KeyGuard
from tunesmith.serve.served import Deployment
from tunesmith.serve.shadowing import Shadowed
from tunesmith.serve.usage import Metered, Usage

_Lifespan: TypeAlias = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    deployments: Sequence[Deployment] | Deployments,
    *,
    store: Store | None,
    require_key: bool,
    hosts: Sequence[str] = (),
    log: RequestLog | None = None,
    pace: Pace | None = None,
    extension: Extension | None = None,
) -> FastAPI:
    """The application over these models; it closes their engines when it shuts down.

    Args:
        deployments: The models, each with a running engine.
        store: Where keys are; needed when `require_key`.
        require_key: Whether routes that are not public ask for a key.
        hosts: Host names allowed beside loopback ones, as `name` or `name:port`.
        log: Where requests are kept, if they are; closed at the end too.
        pace: How fast one key may ask, if that is bounded.
        extension: What there is beside the models, if there is anything.

    Raises:
        UsageError: S19 when keys are required and there is no store; S24 when two models have one name.
    """
    if require_key and store is None:
        raise UsageError("S19", host="-")
    served = deployments if isinstance(deployments, Deployments) else Deployments(deployments)
    counted = metrics.Requests()
    policies = Policies(POLICIES if extension is None else {**POLICIES, **extension.policies})
    usage = None if store is None else Usage(store)
    app = _empty(_closing(served, log, extension, usage))
    _add_routes(app, served, counted, log, extension)
    policies.require(app)
    errors.install(app)
    # The last one added is the outermost: first what a request does, then who may make it.
    _add_records(app, served, counted, log)
    app.add_middleware(BodyLimit, policies=policies)
    _add_limits(app, pace, usage)
    app.add_middleware(KeyGuard, store=store, required=require_key, policies=policies, extension=extension)
    app.add_middleware(HostGuard, hosts=hosts)
    app.add_middleware(metrics.Counted, requests=counted, routes=[path for _, path in policies.table])
    app.add_middleware(Envelope)
    return app


def _empty(lifespan: _Lifespan) -> FastAPI:
    return FastAPI(
        title="Tunesmith",
        version=tunesmith.__version__,
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        responses={"4XX": {"model": ErrorBody}, "5XX": {"model": ErrorBody}},
    )


def _add_routes(
    app: FastAPI,
    served: Deployments,
    counted: metrics.Requests,
    log: RequestLog | None,
    extension: Extension | None,
) -> None:
    app.router.route_class = StrictRoute
    for part in (models, chat, completions, responses, classify, embeddings, tasks, tokenize, health):
        part.add_routes(app, served)
    metrics.add_route(app, served, counted)
    recording.add_route(app, log)
    if extension is not None:
        extension.add_routes(app, served)


def _add_records(
    app: FastAPI, served: Deployments, counted: metrics.Requests, log: RequestLog | None
) -> None:
    app.add_middleware(Shadowed, deployments=served, outcomes=counted.shadows)
    if log is not None:
        app.add_middleware(recording.Recorded, log=log)


def _add_limits(app: FastAPI, pace: Pace | None, usage: Usage | None) -> None:
    if usage is not None:
        app.add_middleware(Metered, usage=usage)
    if pace is not None:  # around the other: what is refused here takes nothing of a quota
        app.add_middleware(Paced, pace=pace)


def _closing(
    served: Deployments, log: RequestLog | None, extension: Extension | None, usage: Usage | None
) -> _Lifespan:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if extension is not None:
            extension.open()
        yield
        for part in (usage, extension, served, log):
            if part is not None:
                part.close()

    return lifespan
