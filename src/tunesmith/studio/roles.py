"""Who may do what: four roles, each of which may do all that those before it may."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from tunesmith.serve.policies import Policy, Role

ROLES: tuple[Role, ...] = get_args(Role)
SCOPE = "studio"

PUBLIC = Policy("public")
VIEWER, ANNOTATOR, ENGINEER, ADMIN = (Policy("session", SCOPE, role) for role in ROLES)


def includes(role: str, least: Role) -> bool:
    """Whether a role may do what `least` may."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(least)


def role_of(scopes: Iterable[str]) -> Role | None:
    """The highest role that scopes of a key give: `studio` an administrator's, `studio:ROLE` that role."""
    given = {f"{SCOPE}:admin" if scope == SCOPE else scope for scope in scopes}
    return next((role for role in reversed(ROLES) if f"{SCOPE}:{role}" in given), None)
