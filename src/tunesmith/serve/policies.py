"""What each route asks of who calls it, and how much it reads.

A route without a policy keeps the server from starting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fastapi import FastAPI
from starlette.routing import compile_path

from tunesmith.core.errors import TunesmithError

Role: TypeAlias = Literal["viewer", "annotator", "engineer", "admin"]
Route: TypeAlias = tuple[str, str]

SCOPE = "serve"
MAX_BODY = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Policy:
    """What a route asks of its caller: nothing, a key with a scope, or a session with at least a role.

    `body` is the longest body that is read, in bytes.
    """

    access: Literal["public", "key", "session"]
    scope: str = SCOPE
    role: Role = "viewer"
    body: int = MAX_BODY


PUBLIC, KEY = Policy("public"), Policy("key")
ASK = Policy("key", role="annotator")  # who only looks on lets no model compute

# Every route over models. A path that is not here asks for a key before it is said not to exist.
POLICIES: dict[Route, Policy] = {
    ("GET", "/health"): PUBLIC,
    ("GET", "/ready"): PUBLIC,
    ("GET", "/metrics"): KEY,
    ("POST", "/v1/feedback"): ASK,
    ("GET", "/openapi.json"): KEY,
    ("GET", "/v1/models"): KEY,
    ("GET", "/v1/models/{name:path}"): KEY,
    ("POST", "/v1/chat/completions"): ASK,
    ("POST", "/v1/completions"): ASK,
    ("POST", "/v1/responses"): ASK,
    ("POST", "/v1/classify"): ASK,
    ("POST", "/v1/embeddings"): ASK,
    ("POST", "/v1/score"): ASK,
    ("POST", "/v1/tag"): ASK,
    ("POST", "/v1/answer"): ASK,
    ("POST", "/v1/translate"): ASK,
    ("POST", "/v1/summarise"): ASK,
    ("POST", "/v1/tokenize"): ASK,
    ("POST", "/v1/detokenize"): ASK,
}


class Policies:
    """The policies of an application, found by the method and path of a request."""

    def __init__(self, table: Mapping[Route, Policy]) -> None:
        self.table = dict(table)
        # A pattern of the router also takes a line end behind a path, so every route is found by its pattern.
        self._patterns: list[tuple[str, re.Pattern[str], Policy]] = [
            (method, compile_path(path)[0], policy) for (method, path), policy in table.items()
        ]

    def of(self, method: str, path: str) -> Policy:
        """The policy of the route that answers this request; a key is asked for where there is none."""
        exact = self.table.get((method, path))
        if exact is not None:
            return exact
        matching = (p for m, pattern, p in self._patterns if m == method and pattern.match(path))
        return next(matching, KEY)

    def require(self, app: FastAPI) -> None:
        """Check that every route of `app` is in the table.

        Raises:
            TunesmithError: S27 naming a route that is not.
        """
        for path, methods in _routes(app):
            for method in methods - {"HEAD"}:
                if (method, path) not in self.table:
                    raise TunesmithError("S27", route=f"{method} {path}")


def _routes(app: FastAPI) -> list[tuple[str, set[str]]]:
    return [(getattr(r, "path", str(r)), set(getattr(r, "methods", None) or {"?"})) for r in app.routes]
