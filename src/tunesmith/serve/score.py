"""The route of scorers: texts in, a number for each out."""

from __future__ import annotations

from fastapi import FastAPI

from tunesmith.serve.answers import Scored, Scores
from tunesmith.serve.deployment import Deployments
from tunesmith.serve.schemas import ScoreRequest


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the route over these models into `app`."""

    @app.post("/v1/score")
    async def score(wishes: ScoreRequest) -> Scores:
        """Numbers of texts."""
        deployment = deployments.score(wishes.model)
        found = await deployment.engine.predict(wishes.texts)
        data = [Scored(index=i, score=float(number)) for i, number in enumerate(found)]
        return Scores(model=deployment.name, data=data)
