"""Tool definitions and calls in one form: the JSON text of OpenAI's lists.

A call is
{"type": "function", "function": {"name": ..., "arguments": JSON text}}, with its `id` if it has one.
"""

from __future__ import annotations

import json
from typing import Any

from tunesmith.data.layouts.layout import RefusedError


def definitions(cell: Any) -> str | None:
    """The tools of a row, one or a list, each an object or {"function": object}; null where there are none.

    Raises:
        RefusedError: bad_tools.
    """
    value = _parsed(cell)
    if value in (None, "", [], {}):
        return None
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) and isinstance(item.get("function", item), dict) for item in items):
        raise RefusedError("bad_tools")
    return dumps(value)


def calls(cell: Any) -> str | None:
    """The calls of a message: one call or a list, as JSON or as the text of it.

    Raises:
        RefusedError: bad_tools.
    """
    value = _parsed(cell)
    if value in (None, "", [], {}):
        return None
    return dumps([_call(call) for call in (value if isinstance(value, list) else [value])])


def _call(call: Any) -> dict[str, Any]:
    function = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise RefusedError("bad_tools")
    text = _arguments(function.get("arguments", function.get("parameters")))
    named = {"id": call["id"]} if isinstance(call.get("id"), str) else {}
    return {**named, "type": "function", "function": {"name": function["name"], "arguments": text}}


def _arguments(given: Any) -> str:
    """The JSON text of an object, as it is where it is text: a model learns it letter by letter."""
    value = _parsed(given)
    if value is None or (isinstance(value, str) and not value.strip()):
        return "{}"
    if not isinstance(value, dict):
        raise RefusedError("bad_tools")
    return given if isinstance(given, str) else dumps(given)


def plain(calls_text: str) -> Any:
    """Calls as {"name", "arguments"} with the arguments decoded: one object, or a list of several."""
    functions = [call["function"] for call in json.loads(calls_text)]
    found = [{"name": f["name"], "arguments": _object(f["arguments"])} for f in functions]
    return found[0] if len(found) == 1 else found


def _object(arguments: str) -> Any:
    """The object that the text says; any other text stays text, so that nothing changes on the way back."""
    try:
        value = json.loads(arguments)
    except ValueError:
        return arguments
    return value if isinstance(value, dict) and dumps(value) == arguments else arguments


def _parsed(cell: Any) -> Any:
    if not isinstance(cell, str) or not cell.strip():
        return cell or None
    try:
        return json.loads(cell, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RefusedError("bad_tools") from error


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def dumps(value: Any) -> str:
    """JSON text, Chinese readable."""
    return json.dumps(value, ensure_ascii=False)
