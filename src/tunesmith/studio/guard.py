"""Whether a caller may pass: by his key, or by his session; writing by session only from our own page."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import Scope

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.caller import CALLER
from tunesmith.serve.policies import Policy
from tunesmith.serve.security import bearer
from tunesmith.studio import sessions
from tunesmith.studio.roles import includes
from tunesmith.studio.state import Studio

HEADER = "x-tunesmith"
_READING = ("GET", "HEAD")
_NOT_LED = ("none", "same-origin")


async def refusal(studio: Studio, scope: Scope, policy: Policy) -> TunesmithError | None:
    """Why this request may not pass; None: it may, and who asks is in its scope."""
    headers = Headers(scope=scope)
    found = await run_in_threadpool(sessions.found, studio, scope)
    if found is None:
        asks = policy.access == "session" or sessions.cookie(scope)
        return TunesmithError("W01" if asks else "S14")
    if bearer(headers) is None and scope["method"] not in _READING and not is_ours(headers):
        return TunesmithError("W03")
    if not includes(found.role, policy.role):
        return TunesmithError("W02", role=found.role, least=policy.role)
    scope[sessions.VISITOR] = found
    CALLER.set(f"studio:{found.name or found.role}")
    return None


def is_ours(headers: Headers) -> bool:
    """Whether our own page sent this: it says so, which no other page can, and where it is from."""
    origin = urlsplit(headers.get("origin", ""))
    return headers.get(HEADER) == "1" and origin.netloc == headers.get("host")


def is_led_here(headers: Headers) -> bool:
    """Whether another site led a browser here: it says so. Who opens an address himself comes from none."""
    return headers.get("sec-fetch-site", "none") not in _NOT_LED
