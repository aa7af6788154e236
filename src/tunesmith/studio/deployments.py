"""Routes of deployments: which models are served and how they do, loading one, taking one out, its canary."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Path, Request, Response
from pydantic import Field

from tunesmith.serve import errors
from tunesmith.serve.meter import Lately
from tunesmith.serve.policies import Policy, Route
from tunesmith.serve.served import ROUTES, Deployment
from tunesmith.serve.strict import ModelName, Strict
from tunesmith.studio.deployment_answers import (
    DeploymentList,
    DeploymentRow,
    LastMinute,
    LoadingRow,
    Share,
)
from tunesmith.studio.hosting import Loading
from tunesmith.studio.naming import known
from tunesmith.studio.roles import ANNOTATOR, ENGINEER
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/deployments"): ANNOTATOR,
    ("POST", "/api/deployments"): ENGINEER,
    ("DELETE", "/api/deployments/{name:path}"): ENGINEER,
    ("PUT", "/api/shares"): ENGINEER,
}
_MEDIAN, _LATE = 0.5, 0.95


class DeploymentRequest(Strict):
    """A model to be served: a name of the catalogue, or of a release with or without version or alias."""

    model: ModelName


class ShareRequest(Strict):
    """Let `canary` answer a part of the requests for `name`; a part of 0 ends that."""

    name: ModelName
    canary: ModelName
    part: Annotated[float, Field(ge=0, le=1)]


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of deployments into `app`."""

    @app.get("/api/deployments")
    def deployments(request: Request) -> DeploymentList:
        """What is served, what is being loaded, and who shares with whom."""
        lang = errors.language(request.headers)
        return DeploymentList(
            deployments=[_row(one) for one in studio.served],
            loading=[_loading(one, lang) for one in studio.hosting.pending],
            shares=_shares(studio),
            logs=studio.logs,
        )

    @app.post("/api/deployments", status_code=202)
    def load(wishes: DeploymentRequest, request: Request) -> LoadingRow:
        """Begin to load a model; the list of deployments tells when it is there."""
        known(studio, wishes.model)
        return _loading(studio.hosting.load(wishes.model), errors.language(request.headers))

    @app.delete("/api/deployments/{name:path}", status_code=204)
    def unload(name: Annotated[str, Path(max_length=256)]) -> Response:
        """Serve a model no longer; what it began it ends."""
        studio.hosting.unload(name)
        return Response(status_code=204)

    @app.put("/api/shares")
    def share(wishes: ShareRequest) -> list[Share]:
        """Let a canary answer a part of another's requests."""
        if wishes.part == 0:
            studio.served.unshare(wishes.name)
        else:
            studio.served.share(wishes.name, wishes.canary, wishes.part)
        return _shares(studio)


def _shares(studio: Studio) -> list[Share]:
    found = studio.served.shares().items()
    return [Share(name=name, canary=canary, part=part) for name, (canary, part) in found]


def _row(found: Deployment) -> DeploymentRow:
    stats, meter = found.engine.stats(), found.meter
    return DeploymentRow(
        name=found.name,
        aliases=list(found.aliases),
        task=found.task,
        route=ROUTES[found.task],
        created=found.created,
        healthy=stats.healthy,
        running=stats.running,
        waiting=stats.waiting,
        requests=meter.requests,
        failed=meter.failed,
        prompt_tokens=meter.prompt_tokens,
        new_tokens=meter.new_tokens,
        minute=_minute(meter.lately),
    )


def _minute(lately: Lately) -> LastMinute:
    whole = lately.answered.quantiles(_MEDIAN, _LATE)
    first = lately.first_token.quantiles(_MEDIAN, _LATE)
    return LastMinute(
        requests=lately.requests.total(),
        failed=lately.failed.total(),
        new_tokens=lately.new_tokens.total(),
        p50=whole[0] if whole else None,
        p95=whole[1] if whole else None,
        first_token_p50=first[0] if first else None,
        first_token_p95=first[1] if first else None,
    )


def _loading(found: Loading, lang: str) -> LoadingRow:
    said = found.problem.as_dict(lang) if found.problem else {}
    return LoadingRow(
        label=found.label,
        state=found.state,
        code=said.get("code"),
        message=said.get("message"),
        hint=said.get("hint"),
    )
