"""Findings as people read them: sentences in their language, and recipes as YAML in one line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.pages.words import Speaker, percent

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LINE = 90
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


def message(finding: Mapping[str, Any], say: Speaker) -> str:
    """What was found, without its count."""
    return say(f"find_{finding['kind']}", **_values(finding, say))


def why(finding: Mapping[str, Any], say: Speaker) -> str:
    """Why it matters and what can be done."""
    return say(f"why_{finding['kind']}", **_values(finding, say))


def _values(finding: Mapping[str, Any], say: Speaker) -> dict[str, str]:
    return {name: _shown(name, value, say) for name, value in finding["values"].items()}


def _shown(name: str, value: Any, say: Speaker) -> str:
    if name == "reason":
        return Speaker("eval", say.lang).name("reason", value)
    if name == "issue":
        return say.name("issue", value)
    if name == "labels":
        return ("、" if say.lang == "zh" else ", ").join(value)
    if name.endswith("share"):
        return percent(value)
    if isinstance(value, float):
        return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def recipe(keys: Mapping[str, Any]) -> str:
    """Keys of a recipe's `data` section as YAML; a list too long for a line has a line for each item."""
    return "\n".join(line for name, value in keys.items() for line in _lines(name, value))


def _lines(name: str, value: Any) -> list[str]:
    line = f"{name}: {flow(value)}"
    if len(line) <= _LINE or not isinstance(value, list):
        return [line]
    return [f"{name}:", *(f"  - {flow(item)}" for item in value)]


def flow(value: Any) -> str:
    """A value as YAML 1.2 in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(name)}: {flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.casefold() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
