"""Results kept by the content of what they were made from: the same inputs are never computed twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunesmith.core import durable


def key(**parts: Any) -> str:
    """The sha256 (hex) of named JSON values."""
    content = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def folder(root: Path, stage: str, key: str, make: Callable[[Path], None]) -> tuple[Path, bool]:
    """The folder of a stage's result, made by `make(folder)` if it is not there; and whether it was there."""
    path = root / f"{stage}-{key[:32]}"
    if durable.is_valid(path):
        return path, True
    with durable.new_folder(path) as temporary:
        make(temporary)
    return path, False
