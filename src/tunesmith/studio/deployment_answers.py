"""What the routes of deployments say."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel


class LastMinute(BaseModel):
    """What a model did in the last minute; times in seconds, None where there was no request."""

    requests: int
    failed: int
    new_tokens: int
    p50: float | None
    p95: float | None
    first_token_p50: float | None
    first_token_p95: float | None


class Share(BaseModel):
    """The part (0 to 1) of the requests for `name` that `canary` answers."""

    name: str
    canary: str
    part: float


class DeploymentRow(BaseModel):
    """A served model: its names, how much it did since it was loaded (`created`, a Unix time), and lately."""

    name: str
    aliases: list[str]
    task: str
    route: str
    created: int
    healthy: bool
    running: int
    waiting: int
    requests: int
    failed: int
    prompt_tokens: int
    new_tokens: int
    minute: LastMinute


class LoadingRow(BaseModel):
    """A model that is being loaded, or why it could not be."""

    label: str
    state: Literal["loading", "failed"]
    code: str | None
    message: str | None
    hint: str | None


class DeploymentList(BaseModel):
    """All served models; whether requests need a key, and whether they are kept."""

    deployments: list[DeploymentRow]
    loading: list[LoadingRow]
    shares: list[Share]
    logs: bool


class RequestRow(BaseModel):
    """A request that was kept; `feedback` is what was said of its answer."""

    at: float
    route: str
    id: str | None
    key: str
    status: int
    seconds: float
    model: str
    asked: str
    answered: str
    feedback: list[dict[str, Any]]


class Requests(BaseModel):
    """The newest requests first; `on` is whether requests are kept at all."""

    on: bool
    requests: list[RequestRow]
