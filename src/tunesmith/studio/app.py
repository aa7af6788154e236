"""The Studio beside the routes over models: all its areas, what they ask of callers, and who it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.types import Scope

from tunesmith.core import runs
from tunesmith.core.errors import TunesmithError
from tunesmith.serve.app import create_app
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio import (
    about,
    deployments,
    drafts,
    guard,
    home,
    keys,
    labelling,
    learning,
    models,
    page,
    releases,
    requests,
    session_routes,
    uploads,
)
from tunesmith.studio.attention import routes as attention
from tunesmith.studio.datasets import insight, paging, versions
from tunesmith.studio.datasets import routes as datasets
from tunesmith.studio.events import routes as events
from tunesmith.studio.jobs import routes as jobs
from tunesmith.studio.recipes import routes as recipes
from tunesmith.studio.runs import routes as run_routes
from tunesmith.studio.state import Studio

# A module with `POLICIES` and `add_routes(app, studio)` each. The page answers every path: it comes last.
AREAS: Sequence[Any] = (
    session_routes, home, jobs, events, uploads, datasets, paging, versions, insight, recipes, drafts,
    run_routes, labelling, learning, models, attention, releases, deployments, requests, keys, about,
    page,
)  # fmt: skip
# So many of the newest runs are read when the service starts, if they are long and were never read.
_PREPARED = 20
POLICIES: dict[Route, Policy] = {route: policy for area in AREAS for route, policy in area.POLICIES.items()}


class StudioExtension:
    """What `serve` mounts to give the Studio too."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    @property
    def policies(self) -> Mapping[Route, Policy]:
        """See `Extension`."""
        return POLICIES

    def add_routes(self, app: FastAPI, deployments: Deployments) -> None:
        """See `Extension`."""
        for area in AREAS:
            area.add_routes(app, self.studio)

    async def refusal(self, scope: Scope, policy: Policy) -> TunesmithError | None:
        """See `Extension`."""
        return await guard.refusal(self.studio, scope, policy)

    def open(self) -> None:
        """See `Extension`."""
        self.studio.jobs.start()
        self.studio.series.prepare(runs.all_runs(self.studio.workspace.runs)[-_PREPARED:])

    def close(self) -> None:
        """See `Extension`."""
        self.studio.hosting.close()
        self.studio.glass.close()
        self.studio.series.close()
        self.studio.jobs.close()
        self.studio.store.close()


def create_studio(studio: Studio, *, require_key: bool = False, hosts: Sequence[str] = ()) -> FastAPI:
    """The application over a Studio and the models that are served beside it."""
    extension = StudioExtension(studio)
    return create_app(
        studio.served, store=studio.store, require_key=require_key, hosts=hosts, extension=extension
    )
