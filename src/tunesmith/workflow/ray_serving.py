"""Served models on several machines: an application of Ray Serve, each of whose replicas is a whole server.

Ray decides at which address it listens and whom it lets through, so a key is always asked for.

A deployment file names `tunesmith.workflow.ray_serving:build` and says in `args` what to serve; see
docs/en/serving.md. All machines must see the workspace.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core.errors import MissingError, UsageError
from tunesmith.core.workspace import find

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI


def build(args: Mapping[str, Any]) -> Any:
    """An application of Ray Serve.

    `args`: `models`, names as `tunesmith serve` takes them; `workspace`, the folder that holds `.tunesmith`;
    `replicas` (1); `hosts`, names under which clients may address it, beside loopback ones.

    Raises:
        MissingError: M03 when Ray Serve is not installed.
    """
    try:
        from ray import serve
    except ImportError as error:
        raise MissingError("M03", name="Ray Serve", package="ray[serve]", extra="ray") from error
    given = dict(args)

    def server() -> FastAPI:
        return application(given)

    made = serve.deployment(name="Tunesmith", num_replicas=given.get("replicas", 1))
    return made(serve.ingress(server)()).bind()


def application(args: Mapping[str, Any]) -> FastAPI:
    """The server of one replica, see `build`; it loads its models now.

    Raises:
        UsageError: S53 where the workspace has no key.
        TunesmithError: when a model cannot be loaded.
    """
    from tunesmith.core.store import Store
    from tunesmith.serve.app import create_app
    from tunesmith.serve.following import Follower
    from tunesmith.serve.reach import asks_for_keys
    from tunesmith.workflow.serving import serving

    workspace = find(start=Path(args["workspace"]))
    if not asks_for_keys("127.0.0.1", Store(workspace.database) if workspace.database.exists() else None):
        raise UsageError("S53", workspace=workspace.root)
    made = serving(args["models"], workspace)
    hosts = list(args.get("hosts", ()))
    app = create_app(made.deployments, store=made.store, require_key=True, hosts=hosts)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(served: FastAPI) -> AsyncIterator[None]:
        with Follower(made.deployments, made.sources):
            async with inner(served):
                yield

    app.router.lifespan_context = lifespan
    return app
