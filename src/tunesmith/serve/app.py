"""The HTTP application: routes over deployments, inside the layers that guard them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI, Response

import tunesmith
from tunesmith.core.errors import UsageError
from tunesmith.core.store import Store
from tunesmith.serve import (
    chat,
    classify,
    completions,
    embeddings,
    errors,
    models,
    responses,
    tasks,
    tokenize,
)
from tunesmith.serve.answers import ErrorBody, Health
from tunesmith.serve.envelope import BodyLimit, Envelope, StrictRoute
from tunesmith.serve.security import HostGuard, KeyGuard, require_policies
from tunesmith.serve.served import Deployment, Deployments


def create_app(
    deployments: Sequence[Deployment],
    *,
    store: Store | None,
    require_key: bool,
    hosts: Sequence[str] = (),
) -> FastAPI:
    """The application over these models; it closes their engines when it shuts down.

    Args:
        deployments: The models, each with a running engine.
        store: Where keys are; needed when `require_key`.
        require_key: Whether routes that are not public ask for a key.
        hosts: Host names allowed beside loopback ones, as `name` or `name:port`.

    Raises:
        UsageError: S19 when keys are required and there is no store; S24 when two models have one name.
    """
    if require_key and store is None:
        raise UsageError("S19", host="-")
    served = Deployments(deployments)
    app = FastAPI(
        title="Tunesmith",
        version=tunesmith.__version__,
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_closing(served),
        responses={"4XX": {"model": ErrorBody}, "5XX": {"model": ErrorBody}},
    )
    app.router.route_class = StrictRoute
    models.add_routes(app, served)
    chat.add_routes(app, served)
    completions.add_routes(app, served)
    responses.add_routes(app, served)
    classify.add_routes(app, served)
    embeddings.add_routes(app, served)
    tasks.add_routes(app, served)
    tokenize.add_routes(app, served)
    _add_health(app, served)
    require_policies(app)
    errors.install(app)
    # The last one added is the outermost.
    app.add_middleware(BodyLimit)
    app.add_middleware(KeyGuard, store=store if require_key else None)
    app.add_middleware(HostGuard, hosts=hosts)
    app.add_middleware(Envelope)
    return app


def _closing(served: Deployments) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        served.close()

    return lifespan


def _add_health(app: FastAPI, served: Deployments) -> None:
    @app.get("/health")
    async def health(response: Response) -> Health:
        """Whether every engine works."""
        if all(deployment.engine.stats().healthy for deployment in served):
            return Health(status="ok")
        response.status_code = 503
        return Health(status="failed")
