"""Values as JSON has them. JSON has no infinity and no NaN: there they are "Infinity" and "NaN"."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

_WORDS = ("NaN", "Infinity", "-Infinity")


def plain(value: Any) -> Any:
    """Lists for tuples, text for keys, and words for numbers that JSON does not have; pydantic reads them."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def figures(value: Any) -> Any:
    """The reverse of `plain`: its words are numbers again, in mappings and lists too."""
    if isinstance(value, Mapping):
        return {key: figures(item) for key, item in value.items()}
    if isinstance(value, list):
        return [figures(item) for item in value]
    return float(value) if isinstance(value, str) and value in _WORDS else value


def dumps(value: Any, *, indent: int | None = None) -> str:
    """`plain(value)` as JSON that every reader takes; what JSON has no form for is written as its text."""
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, default=str, indent=indent)
