"""What a layer above puts beside the routes over models; the Studio is such a one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from fastapi import FastAPI
from starlette.types import Scope

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.policies import Policy, Route


class Extension(Protocol):
    """Routes with their policies, and who it knows besides the holders of keys."""

    @property
    def policies(self) -> Mapping[Route, Policy]:
        """What each of its routes asks of callers."""

    def add_routes(self, app: FastAPI, deployments: Deployments) -> None:
        """Put its routes into the application, after all others."""

    async def refusal(self, scope: Scope, policy: Policy) -> TunesmithError | None:
        """Why the caller of a route that asks for a session, or has no key, may not pass; None: he may."""

    def open(self) -> None:
        """Begin what runs beside the routes."""

    def close(self) -> None:
        """End what runs beside the routes."""
