"""From a token to a session: the printed address is opened once, then a strict cookie says who it is."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import Scope

from tunesmith.core.store import Session
from tunesmith.core.store.sessions import LASTS_S
from tunesmith.serve.security import bearer
from tunesmith.studio.roles import role_of
from tunesmith.studio.state import Studio

VISITOR = "tunesmith.visitor"
_OWNER = Session(role="admin", name="")


def opened(studio: Studio, token: str) -> tuple[str, Session] | None:
    """A new session for the holder of the printed token, or of a key with a scope of the Studio."""
    return opened_by_address(studio, token) or _opened_by_key(studio, token)


def opened_by_address(studio: Studio, token: str) -> tuple[str, Session] | None:
    """A new session for who opens the printed address. A key is nothing for an address, which others see."""
    if not hmac.compare_digest(token.encode(), studio.token.encode()):
        return None
    return studio.store.open_session(_OWNER.role, name=_OWNER.name), _OWNER


def _opened_by_key(studio: Studio, token: str) -> tuple[str, Session] | None:
    key = studio.store.find_key(token)
    role = role_of(key.scopes) if key else None
    if key is None or role is None:
        return None
    text = studio.store.open_session(role, name=key.name, key=key.id)
    return text, Session(role=role, name=key.name)


def found(studio: Studio, scope: Scope) -> Session | None:
    """Who sent a request: the holder of the key in it, or of the session in its cookie."""
    secret, text = bearer(Headers(scope=scope)), cookie(scope)
    if secret is not None:
        return _by_key(studio, secret)
    return studio.store.find_session(text) if text else None


def holder(scope: Scope) -> str:
    """What tells one session, or one key, from another."""
    return bearer(Headers(scope=scope)) or cookie(scope)


def _by_key(studio: Studio, secret: str) -> Session | None:
    key = studio.store.find_key(secret)
    role = role_of(key.scopes) if key else None
    return Session(role=role, name=key.name) if key and role else None


def cookie(scope: Scope) -> str:
    """The text of the session that a request brings, or nothing."""
    found = cookie_parser(Headers(scope=scope).get("cookie", ""))
    return found.get(_name(scope), "")


def keep(response: Response, request: Request, text: str) -> None:
    """Let the browser remember a session; neither scripts nor other sites get to see or send it."""
    secure = request.url.scheme == "https"
    response.set_cookie(
        _name(request.scope), text, max_age=LASTS_S, path="/", httponly=True, samesite="strict", secure=secure
    )


def forget(response: Response, request: Request) -> None:
    """Let the browser forget it."""
    response.delete_cookie(_name(request.scope), path="/", httponly=True, samesite="strict")


def visitor(request: Request) -> Session:
    """Who asks; known on every route whose policy asks for a session."""
    found: Session = request.scope[VISITOR]
    return found


def _name(scope: Scope) -> str:
    # Browsers keep cookies by host, not by port: two Studios on one machine must not sign each other out.
    return f"tunesmith-{(scope.get('server') or ('', 0))[1]}"
