"""Models of the ModelScope hub, by its HTTP interface: only configuration, tokenizer and safetensors.

A file that was cut off is continued; each is held to the sha256 that the hub states before it gets its name.
`MODELSCOPE_ENDPOINT` names a mirror, `MODELSCOPE_CACHE` moves the cache; `HF_HUB_OFFLINE=1` is obeyed.
"""

from __future__ import annotations

import json
import os
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from tunesmith.core import durable
from tunesmith.core.errors import MissingError, ModelError, NotFoundError
from tunesmith.core.registry import suggestion
from tunesmith.models import hub

PREFIX = "modelscope:"
_LISTING = "hub.json"
_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_SECONDS = 30.0


def fetched(name: str) -> Path:
    """The folder of a model, `ORG/NAME`, fetched as far as it is not here.

    Raises:
        NotFoundError: M01 when the hub has no such model.
        MissingError: M02 when it is not here and the hub cannot be asked.
        ModelError: M07 when a file is not what the hub states; M08 when the model has no safetensors.
    """
    if not _ID.fullmatch(name):
        raise NotFoundError("M01", name=name, **suggestion(name, []))
    if (kept := cached(name)) is not None:
        return kept
    folder = _folder(name)
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"):
        raise MissingError("M02", name=name, reason="HF_HUB_OFFLINE")
    wanted = _wanted(name)
    if not any(path.endswith(".safetensors") for path in wanted):
        raise ModelError("M08", file=folder, name=name)
    folder.mkdir(parents=True, exist_ok=True)
    for path, sha256 in wanted.items():
        _fetch(name, path, sha256, folder / path)
    (folder / _LISTING).write_text(json.dumps(wanted, indent=1), encoding="utf-8")
    return folder


def cached(name: str) -> Path | None:
    """The folder of a model, `ORG/NAME`, if it was fetched before."""
    folder = _folder(name)
    return folder if (folder / _LISTING).exists() else None


def _folder(name: str) -> Path:
    named = os.environ.get("MODELSCOPE_CACHE")
    root = Path(named) if named else Path.home() / ".cache" / "modelscope"
    return root / "tunesmith" / name.replace("/", "--")


def _address(name: str) -> str:
    endpoint = os.environ.get("MODELSCOPE_ENDPOINT", "https://modelscope.cn").rstrip("/")
    return f"{endpoint}/api/v1/models/{name}"


def _wanted(name: str) -> dict[str, str]:
    """The files of a model that are taken, and the sha256 of each; only those at its top."""
    import httpx

    try:
        answer = httpx.get(f"{_address(name)}/repo/files", params={"Revision": "master"}, timeout=_SECONDS)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotFoundError("M01", name=name, **suggestion(name, []))
        found: list[dict[str, Any]] = answer.raise_for_status().json()["Data"]["Files"]
        files = {str(file["Path"]): str(file["Sha256"]) for file in found if file["Type"] == "blob"}
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise MissingError("M02", name=name, reason=str(error) or type(error).__name__) from error
    taken = (path for path in files if re.fullmatch(r"[\w][\w.-]*", path))
    return {path: files[path] for path in sorted(taken) if any(fnmatch(path, p) for p in hub.PATTERNS)}


def _fetch(name: str, path: str, sha256: str, target: Path) -> None:
    """Fetch one file, from where an earlier try was cut off."""
    if target.exists():
        return
    part = target.with_name(f"{path}.part")
    _continue(name, path, part)
    if (found := durable.sha256(part)) != sha256:
        part.unlink()
        raise ModelError("M07", file=target, expected=sha256, found=found)
    part.rename(target)


def _continue(name: str, path: str, part: Path) -> None:
    import httpx

    have = part.stat().st_size if part.exists() else 0
    settings: dict[str, Any] = {
        "params": {"Revision": "master", "FilePath": path},
        "headers": {"Range": f"bytes={have}-"} if have else {},
    }
    try:
        with httpx.stream(
            "GET", f"{_address(name)}/repo", timeout=_SECONDS, follow_redirects=True, **settings
        ) as answer:
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return
            answer.raise_for_status()
            is_rest = answer.status_code == httpx.codes.PARTIAL_CONTENT
            with part.open("ab" if is_rest else "wb") as file:
                for piece in answer.iter_bytes():
                    file.write(piece)
    except httpx.HTTPError as error:
        raise MissingError("M02", name=name, reason=str(error) or type(error).__name__) from error
