"""Signing in and out, and who one is."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field

import tunesmith
from tunesmith.core.errors import TunesmithError
from tunesmith.core.store import Session
from tunesmith.serve.policies import Policy, Role, Route
from tunesmith.serve.strict import Strict
from tunesmith.studio import sessions
from tunesmith.studio.guard import is_ours
from tunesmith.studio.roles import PUBLIC
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/session"): PUBLIC,
    ("POST", "/api/session"): PUBLIC,
    ("DELETE", "/api/session"): PUBLIC,
}


class SignIn(Strict):
    """The printed token, or a key with a scope of the Studio."""

    token: Annotated[str, Field(min_length=1, max_length=512)]


class SessionInfo(BaseModel):
    """Who one is; without a role one is not signed in, and gets to know nothing else."""

    role: Role | None = None
    name: str = ""
    version: str = tunesmith.__version__
    workspace: str | None = None


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the routes of sessions into `app`."""

    @app.get("/api/session")
    def session(request: Request) -> SessionInfo:
        """Who asks. Never an error: a page asks this to know whether to show itself."""
        text = sessions.cookie(request.scope)
        return _info(studio, studio.store.find_session(text) if text else None)

    @app.post("/api/session")
    def sign_in(wishes: SignIn, request: Request, response: Response) -> SessionInfo:
        """Exchange a token or key for a session in a cookie."""
        if not is_ours(request.headers):
            raise TunesmithError("W03")
        found = sessions.opened(studio, wishes.token)
        if found is None:
            raise TunesmithError("W04")
        sessions.keep(response, request, found[0])
        return _info(studio, found[1])

    @app.delete("/api/session")
    def sign_out(request: Request, response: Response) -> SessionInfo:
        """End the session."""
        if not is_ours(request.headers):
            raise TunesmithError("W03")
        studio.store.close_session(sessions.cookie(request.scope))
        sessions.forget(response, request)
        return SessionInfo()


def _info(studio: Studio, found: Session | None) -> SessionInfo:
    if found is None:
        return SessionInfo()
    return SessionInfo.model_validate(
        {"role": found.role, "name": found.name, "workspace": str(studio.workspace.root)}
    )
