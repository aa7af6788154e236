"""Files that a browser hands over: streamed to disk, bounded, never opened here."""

from __future__ import annotations

import re
import secrets
import shutil
import time
import unicodedata
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from tunesmith.core import durable
from tunesmith.core.errors import NotFoundError, TunesmithError, UsageError
from tunesmith.core.workspace import Workspace
from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.roles import ENGINEER, SCOPE
from tunesmith.studio.state import Studio

MAX_UPLOAD = 2 * 2**30
POLICIES: dict[Route, Policy] = {
    ("POST", "/api/uploads"): Policy("session", SCOPE, ENGINEER.role, body=MAX_UPLOAD),
}

_KEPT_S = 24 * 3600
_SPARE = 2**30
_LONGEST_NAME = 180  # characters of what is asked for, and bytes of what is made of it
_IDENTITY = re.compile(r"[0-9a-f]{16}")


class Upload(BaseModel):
    """A file that was handed over; it is thrown away after a day unless a data set is made of it."""

    id: str
    name: str
    bytes: int


def add_routes(app: FastAPI, studio: Studio) -> None:
    """Put the route for uploads into `app`."""
    root = studio.workspace.root / "uploads"

    @app.post("/api/uploads", status_code=201)
    async def upload(
        request: Request, name: Annotated[str, Query(min_length=1, max_length=_LONGEST_NAME)]
    ) -> Upload:
        """Take in a file: the body is its bytes, as they are."""
        declared = request.headers.get("content-length", "")
        await run_in_threadpool(_make_room, root, int(declared) if declared.isdecimal() else 0)
        identity, called = secrets.token_hex(8), safe_name(name)
        folder = root / identity
        folder.mkdir(parents=True)
        try:
            size = await _receive(request, folder / called)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Upload(id=identity, name=called, bytes=size)


def find(workspace: Workspace, identity: str) -> Path:
    """The file of an upload.

    Raises:
        NotFoundError: W11 when there is none, or none any more.
    """
    folder = workspace.root / "uploads" / identity
    found = list(folder.iterdir()) if _IDENTITY.fullmatch(identity) and folder.is_dir() else []
    if not found:
        raise NotFoundError("W11", id=identity)
    return found[0]


def safe_name(given: str) -> str:
    """A file name that leads nowhere else and that every system takes.

    Raises:
        UsageError: W10 when nothing is left of it.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    name = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*').strip(" .")
    if not name:
        raise UsageError("W10", name=given)
    return name.encode()[-_LONGEST_NAME:].decode(errors="ignore")


async def _receive(request: Request, path: Path) -> int:
    size = 0
    with durable.new_file(path) as temporary, temporary.open("wb") as file:
        async for part in request.stream():
            size += len(part)
            await run_in_threadpool(file.write, part)
    return size


def _make_room(root: Path, wanted: int) -> None:
    """Throw away what nobody made use of, and see whether there is room."""
    root.mkdir(parents=True, exist_ok=True)
    for folder in root.iterdir():
        if time.time() - folder.stat().st_mtime > _KEPT_S:
            shutil.rmtree(folder, ignore_errors=True)
    free = shutil.disk_usage(root).free
    if wanted + _SPARE > free:
        raise TunesmithError("W12", wanted=wanted // 2**20, free=free // 2**20)
