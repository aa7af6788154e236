"""Drafts over HTTP: what somebody is filling in, kept for him alone; no restart loses it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request
from pydantic import BaseModel

from tunesmith.core import durable
from tunesmith.core.errors import UsageError
from tunesmith.serve.policies import Policy, Route
from tunesmith.serve.strict import Strict
from tunesmith.studio import sessions
from tunesmith.studio.roles import ANNOTATOR, SCOPE, VIEWER
from tunesmith.studio.state import Studio

MOST = 32
MAX_DRAFT = 2**20
_WRITER = Policy("session", SCOPE, ANNOTATOR.role, body=MAX_DRAFT)
POLICIES: dict[Route, Policy] = {
    ("GET", "/api/drafts/{id}"): VIEWER,
    ("PUT", "/api/drafts/{id}"): _WRITER,
    ("DELETE", "/api/drafts/{id}"): _WRITER,
}

Identity = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class DraftWishes(Strict):
    """What somebody is filling in."""

    content: dict[str, Any]


class Draft(BaseModel):
    """What somebody was filling in; null when there is nothing."""

    content: dict[str, Any] | None


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of drafts into `app`."""
    root = studio.workspace.root / "drafts"

    @app.get("/api/drafts/{id}")
    def draft(id: Identity, request: Request) -> Draft:  # noqa: A002  the name in the path
        """What you were filling in."""
        path = _folder(root, request) / f"{id}.json"
        return Draft(content=json.loads(path.read_text("utf-8")) if path.exists() else None)

    @app.put("/api/drafts/{id}")
    def keep(id: Identity, wishes: DraftWishes, request: Request) -> Draft:  # noqa: A002
        """Keep what you are filling in."""
        folder = _folder(root, request)
        _require_room(folder, f"{id}.json")
        folder.mkdir(parents=True, exist_ok=True)
        durable.write_json(folder / f"{id}.json", wishes.content)
        return Draft(content=wishes.content)

    @app.delete("/api/drafts/{id}")
    def drop(id: Identity, request: Request) -> Draft:  # noqa: A002
        """Throw a draft away; one that is not there is gone already."""
        (_folder(root, request) / f"{id}.json").unlink(missing_ok=True)
        return Draft(content=None)


def _folder(root: FilePath, request: Request) -> FilePath:
    """The drafts of whoever asks: a key's name says who that is, and may have any characters."""
    return root / hashlib.sha256(sessions.visitor(request).name.encode()).hexdigest()[:16]


def _require_room(folder: FilePath, name: str) -> None:
    kept = {path.name for path in folder.glob("*.json")}
    if name not in kept and len(kept) >= MOST:
        raise UsageError("W29", most=MOST)
