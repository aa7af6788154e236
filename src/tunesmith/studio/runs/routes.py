"""All routes of runs: what there is, how one goes, what it came to, and what may be done with it."""

from __future__ import annotations

from fastapi import FastAPI

from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.runs import acting, comparison, details, listing, report, watching
from tunesmith.studio.series import routes as series
from tunesmith.studio.state import Studio

_PARTS = (listing, details, watching, acting, series, report, comparison)
POLICIES: dict[Route, Policy] = {route: policy for part in _PARTS for route, policy in part.POLICIES.items()}


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put them into `app`."""
    for part in _PARTS:
        part.add_routes(app, studio)
