"""Routes of labelling: projects, the queue, decisions, what they are worth, and the way out."""

from __future__ import annotations

from fastapi import FastAPI

from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.labelling import projects, results, work
from tunesmith.studio.state import Studio
from tunesmith.workflow.labelling.following import Background

POLICIES: dict[Route, Policy] = {**projects.POLICIES, **results.POLICIES, **work.POLICIES}


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of labelling into `app`."""
    background = Background(studio.store, studio.workspace)
    projects.add_routes(app, studio, background)
    results.add_routes(app, studio, background)
    work.add_routes(app, studio, background)
