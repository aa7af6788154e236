"""Routes of keys: made and shown once, listed with what they were used for, revoked."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from fastapi import FastAPI, Path, Response
from pydantic import BaseModel, Field

from tunesmith.core.store import Key, Used
from tunesmith.core.store.usage import day_of
from tunesmith.serve.policies import Policy, Route
from tunesmith.serve.strict import Strict
from tunesmith.studio.roles import ADMIN
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/keys"): ADMIN,
    ("POST", "/api/keys"): ADMIN,
    ("DELETE", "/api/keys/{id}"): ADMIN,
}
Scope = Literal["serve", "studio", "studio:viewer", "studio:annotator", "studio:engineer", "studio:admin"]
Quota = Annotated[int, Field(ge=1, le=10**15)]
_DAY_S = 86400


class KeyRequest(Strict):
    """A key for `name`, valid for so many days, or until it is revoked; quotas are for a day."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=6, default_factory=lambda: ["serve"])]
    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    quota_requests: Quota | None = None
    quota_tokens: Quota | None = None


class KeyRow(BaseModel):
    """A key without its text; times are Unix times, counts are of today (in UTC) and of all days."""

    id: str
    name: str
    scopes: list[str]
    created: float
    revoked: float | None
    expires: float | None
    used: float | None
    valid: bool
    quota_requests: int | None
    quota_tokens: int | None
    requests: int
    tokens: int
    requests_today: int
    tokens_today: int


class Keys(BaseModel):
    """All keys, oldest first."""

    keys: list[KeyRow]


class NewKey(BaseModel):
    """A key that was just made. `key` is its text, which nobody can find out again."""

    id: str
    name: str
    scopes: list[str]
    expires: float | None
    key: str


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of keys into `app`."""

    @app.get("/api/keys")
    def keys() -> Keys:
        """All keys, the revoked ones too."""
        store = studio.store
        ever, today = store.usage(), store.usage(day_of(time.time()))
        found = store.keys()
        rows = [_row(key, ever.get(key.id, Used()), today.get(key.id, Used())) for key in found]
        return Keys(keys=rows)

    @app.post("/api/keys", status_code=201)
    def create(wishes: KeyRequest) -> NewKey:
        """Make a key; its text is in this answer and nowhere else."""
        expires = time.time() + wishes.days * _DAY_S if wishes.days else None
        scopes = list(dict.fromkeys(wishes.scopes))
        identity, text = studio.store.create_key(
            wishes.name,
            scopes,
            expires=expires,
            quota_requests=wishes.quota_requests,
            quota_tokens=wishes.quota_tokens,
        )
        return NewKey(id=identity, name=wishes.name, scopes=list(scopes), expires=expires, key=text)

    @app.delete("/api/keys/{id}", status_code=204)
    def revoke(id: Annotated[str, Path(max_length=16)]) -> Response:  # noqa: A002  as the path says
        """Make a key worthless from now on."""
        studio.store.revoke_key(id)
        return Response(status_code=204)


def _row(key: Key, ever: Used, today: Used) -> KeyRow:
    over = key.expires is not None and key.expires <= time.time()
    return KeyRow(
        id=key.id,
        name=key.name,
        scopes=list(key.scopes),
        created=key.created,
        revoked=key.revoked,
        expires=key.expires,
        used=key.used,
        valid=key.revoked is None and not over,
        quota_requests=key.quota_requests,
        quota_tokens=key.quota_tokens,
        requests=ever.requests,
        tokens=ever.tokens,
        requests_today=today.requests,
        tokens_today=today.tokens,
    )
