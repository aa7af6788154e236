"""Where hosted models are: a name for a URL, a model there, and the variable that holds the key.

The key itself is never stored. What was spent is kept beside, so that a budget holds for all commands.
"""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from tunesmith.core import durable
from tunesmith.core.errors import ModelError, NotFoundError, UsageError
from tunesmith.core.registry import suggestion
from tunesmith.core.workspace import Workspace
from tunesmith.models.json_file import read_json

PREFIX = "hosted:"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Requests that were answered, and tokens read and written for them."""

    requests: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A model behind an OpenAI-compatible API.

    `url` is that of the API's root, ending in /v1 as a rule; `key` names the environment variable that holds
    the key. `requests` and `tokens` bound what may be spent altogether.
    """

    name: str
    url: str
    model: str
    key: str | None = None
    requests: int | None = None
    tokens: int | None = None

    def secret(self) -> str | None:
        """The key, out of its environment variable.

        Raises:
            UsageError: M63 when the variable is not set.
        """
        if self.key is None:
            return None
        if not (found := os.environ.get(self.key, "").strip()):
            raise UsageError("M63", name=PREFIX + self.name, variable=self.key)
        return found


def add(endpoint: Endpoint, workspace: Workspace) -> None:
    """Keep an endpoint under its name; one that was there is replaced, and what was spent forgotten.

    Raises:
        UsageError: M64 when name or URL cannot be used.
    """
    if not _NAME.fullmatch(endpoint.name):
        raise UsageError("M64", value=endpoint.name, reason="a-z 0-9 . _ -")
    check_url(endpoint.url)
    path = _path(endpoint.name, workspace)
    _spent(path).unlink(missing_ok=True)
    durable.write_json(path, asdict(endpoint))


def check_url(url: str) -> None:
    """Refuse what would be sent over a network for all to read.

    Raises:
        UsageError: M64.
    """
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)
    if not parts.hostname or not is_safe or parts.username or parts.query:
        raise UsageError("M64", value=url, reason="https://HOST/v1")


def find(name: str, workspace: Workspace) -> Endpoint:
    """The endpoint that is called `name`, with or without `hosted:`.

    Raises:
        NotFoundError: M01 when there is none of that name, A14 when there is none at all.
        ModelError: M06 when its file is damaged.
    """
    short = name.removeprefix(PREFIX)
    path = _path(short, workspace)
    if not _NAME.fullmatch(short) or not path.is_file():
        known = [PREFIX + endpoint.name for endpoint in every(workspace)]
        if not known:
            raise NotFoundError("A14", name=short)
        raise NotFoundError("M01", name=name, **suggestion(name, known))
    return _read(path)


def every(workspace: Workspace) -> list[Endpoint]:
    """All endpoints, by name."""
    files = sorted((workspace.root / "hosted").glob("*.json"))
    return [_read(path) for path in files if not path.name.endswith(".spent.json")]


def remove(name: str, workspace: Workspace) -> Endpoint:
    """Forget an endpoint and what was spent.

    Raises:
        NotFoundError: M01 when there is none of that name.
    """
    found = find(name, workspace)
    path = _path(found.name, workspace)
    _spent(path).unlink(missing_ok=True)
    path.unlink()
    return found


def spent(endpoint: Endpoint, workspace: Workspace) -> Spent:
    """What was spent so far."""
    return Spent(**read_json(_spent(_path(endpoint.name, workspace))))


def spend(endpoint: Endpoint, workspace: Workspace, *, tokens: int) -> None:
    """Count a request and its tokens; several processes may do so at once."""
    path = _spent(_path(endpoint.name, workspace))
    with FileLock(path.with_suffix(".lock")):
        before = spent(endpoint, workspace)
        after = Spent(requests=before.requests + 1, tokens=before.tokens + tokens)
        durable.write_json(path, asdict(after))


def _path(name: str, workspace: Workspace) -> Path:
    return workspace.root / "hosted" / f"{name}.json"


def _spent(path: Path) -> Path:
    return path.with_suffix(".spent.json")


def _read(path: Path) -> Endpoint:
    try:
        return Endpoint(**read_json(path))
    except TypeError as error:
        raise ModelError("M06", file=path, reason=str(error)) from error
