"""The small JSON files of a model folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tunesmith.core.errors import ModelError


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty when there is no such file.

    Raises:
        ModelError: M06 when the file is not a JSON object.
    """
    if not path.exists():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError("M06", file=path, reason=str(error)) from error
    if not isinstance(value, dict):
        raise ModelError("M06", file=path, reason="not a JSON object")
    return value
