"""The page itself: built files, and `index.html` for every path that the page itself understands."""

from __future__ import annotations

import gzip
import mimetypes
from functools import lru_cache
from html import escape
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tunesmith.core import text
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio import sessions
from tunesmith.studio.guard import is_led_here
from tunesmith.studio.roles import PUBLIC
from tunesmith.studio.state import Studio

POLICIES: dict[Route, Policy] = {("GET", "/{path:path}"): PUBLIC}

STATIC = Path(str(files("tunesmith.studio"))) / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_NOT_PAGES = ("api/", "v1/")
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
# The icon, and what else has no hash in its name; `index.html` is asked for anew each time.
_FOR_A_WHILE = {"Cache-Control": "public, max-age=3600"}
_LONGEST_TOKEN = 512


def add_routes(app: FastAPI, studio: Studio, static: Path = STATIC) -> None:
    """Put the page into `app`; it has to be the last, since it answers every path."""

    @app.get("/{path:path}", include_in_schema=False)
    async def page(path: str, request: Request) -> Response:
        if path.startswith(_NOT_PAGES):
            raise HTTPException(404)
        token = request.query_params.get("token", "")
        if token:
            return await run_in_threadpool(_signed_in, studio, token[:_LONGEST_TOKEN], path, request)
        return await run_in_threadpool(_file, static, path, request)


def _signed_in(studio: Studio, token: str, path: str, request: Request) -> Response:
    """On to the page, without the token in the address; a wrong one or another site's changes nothing."""
    # A path that begins with two slashes would lead to another host.
    answer = RedirectResponse("/" + path.lstrip("/\\"), status_code=303)
    found = None if is_led_here(request.headers) else sessions.opened_by_address(studio, token)
    if found is not None:
        sessions.keep(answer, request, found[0])
    return answer


def _file(static: Path, path: str, request: Request) -> Response:
    found = _inside(static, path)
    if found is not None and found.name != "index.html":
        headers = _FOR_EVER if path.startswith("assets/") else _FOR_A_WHILE
        return _answer(found, request, headers)
    if path.startswith("assets/"):
        raise HTTPException(404)
    if (static / "index.html").is_file():
        return _answer(static / "index.html", request, {})
    return _missing()


def _inside(static: Path, path: str) -> Path | None:
    try:
        found = (static / path).resolve()
        return found if path and found.is_relative_to(static.resolve()) and found.is_file() else None
    except (OSError, ValueError):  # longer than a path may be, or with a NUL
        return None


def _answer(path: Path, request: Request, headers: dict[str, str]) -> Response:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    zipped = "gzip" in request.headers.get("accept-encoding", "") and _is_text(kind)
    if zipped:
        headers = {**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    content = _content(path, path.stat().st_mtime_ns, zipped=zipped)
    return Response(content, media_type=kind, headers={**HEADERS, **headers})


@lru_cache(maxsize=256)
def _content(path: Path, _changed: int, *, zipped: bool) -> bytes:
    found = path.read_bytes()
    return gzip.compress(found, 9) if zipped else found


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind in ("application/javascript", "application/json", "image/svg+xml")


def _missing() -> Response:
    """What there is to say, in every language, when the page was not built."""
    said = "".join(
        f'<section lang="{lang}"><h1>{escape(text.say("studio.missing_title", lang))}</h1>'
        f"<p>{escape(text.say('studio.missing', lang))}</p></section>"
        for lang in text.LANGUAGES
    )
    html = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Tunesmith</title>{said}</html>'
    return HTMLResponse(html, status_code=503, headers=HEADERS)
