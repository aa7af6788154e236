"""What is served: OpenAI's list of models, and each by its name."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Path

from tunesmith.serve.answers import ModelEntry, ModelList
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.served import Deployment


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the routes over these models into `app`."""

    @app.get("/v1/models")
    async def models() -> ModelList:
        """The models that are served."""
        return ModelList(data=[_entry(deployment) for deployment in deployments])

    @app.get("/v1/models/{name:path}")
    async def model(name: Annotated[str, Path(min_length=1, max_length=256)]) -> ModelEntry:
        """The model of a name or alias."""
        return _entry(deployments.named(name))


def _entry(deployment: Deployment) -> ModelEntry:
    return ModelEntry(id=deployment.name, created=deployment.created, task=deployment.task)
