"""What is served: OpenAI's list of models."""

from __future__ import annotations

from fastapi import FastAPI

from tunesmith.serve.answers import ModelEntry, ModelList
from tunesmith.serve.deployments import Deployments


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the routes over these models into `app`."""

    @app.get("/v1/models")
    async def models() -> ModelList:
        """The models that are served."""
        entries = [ModelEntry(id=d.name, created=d.created, task=d.task) for d in deployments]
        return ModelList(data=entries)
