"""Tools and calls are taken when a model can be shown them, and refused otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tunesmith.data.layouts.layout import RefusedError
from tunesmith.data.layouts.tools import calls, definitions
from tunesmith.models.turns import decoded

TOOL = {"name": "f", "parameters": {"type": "object"}}


@pytest.mark.parametrize(
    "cell", [[1], "[1]", ["f"], "3", [TOOL, None], [{"type": "function", "function": "f"}]]
)
def test_tools_that_are_no_objects_are_refused(cell: Any) -> None:
    with pytest.raises(RefusedError, match="bad_tools"):
        definitions(cell)


@pytest.mark.parametrize("arguments", ['{"bad', "text", "[1]", [1], 3, '{"a": NaN}'])
def test_arguments_that_are_no_object_are_refused(arguments: Any) -> None:
    with pytest.raises(RefusedError, match="bad_tools"):
        calls({"name": "f", "arguments": arguments})


@pytest.mark.parametrize("cell", [TOOL, [TOOL], [{"type": "function", "function": TOOL}], json.dumps([TOOL])])
@pytest.mark.parametrize("arguments", [{"a": 1}, '{"a":1}', {}, "", " ", None])
def test_what_is_taken_can_be_shown_to_a_model(cell: Any, arguments: Any) -> None:
    asked = calls([{"id": "1", "function": {"name": "f", "arguments": arguments}}])
    talk = decoded([{"role": "assistant", "content": "", "tool_calls": asked}], definitions(cell))
    (call,) = talk.turns[0]["tool_calls"]
    assert call["function"]["name"] == "f"
    assert call["function"]["arguments"] in ({"a": 1}, {})
    assert talk.tools == [{"type": "function", "function": TOOL}]


def test_arguments_that_are_text_stay_as_they_are() -> None:
    asked = calls({"name": "f", "arguments": '{"a":1}'})
    assert json.loads(asked or "")[0]["function"]["arguments"] == '{"a":1}'
