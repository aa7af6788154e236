"""Whether the server lives, and whether it answers requests now; for whoever watches it, without a key."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from tunesmith.serve.answers import Health, Readiness
from tunesmith.serve.deployments import Deployments


def add_routes(app: FastAPI, deployments: Deployments) -> None:
    """Put the routes over these models into `app`."""

    @app.get("/health")
    async def health(response: Response) -> Health:
        """Whether every engine works."""
        if all(deployment.engine.stats().healthy for deployment in deployments):
            return Health(status="ok")
        response.status_code = 503
        return Health(status="failed")

    @app.get("/ready")
    async def ready(request: Request, response: Response) -> Readiness:
        """Whether new requests are answered: every engine works, and the server is not about to end."""
        models = {deployment.name: deployment.engine.stats().healthy for deployment in deployments}
        ending = getattr(request.app.state, "ending", False)
        answer = Readiness(ready=all(models.values()) and not ending, models=models)
        response.status_code = 200 if answer.ready else 503
        return answer
