"""The newer route of conversations says what the older one says, as items and typed events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

QUESTION = "Tell me about a little girl."
NUMBER = {"type": "integer", "minimum": 1, "maximum": 9}
FIND = {"type": "object", "properties": {"id": NUMBER}, "required": ["id"], "additionalProperties": False}
TOOLS: Any = [{"type": "function", "name": "find", "parameters": FIND}]


@pytest.fixture(scope="module")
def client(story_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{story_url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_it_answers_as_chat_does(client: openai.OpenAI) -> None:
    messages: Any = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": QUESTION}]
    chat = client.chat.completions.create(model="stories", messages=messages, max_tokens=20)
    made = client.responses.create(
        model="stories", input=QUESTION, instructions="Be kind.", max_output_tokens=20
    )
    assert made.output_text == chat.choices[0].message.content
    assert made.usage is not None
    assert chat.usage is not None
    assert made.usage.input_tokens == chat.usage.prompt_tokens
    assert (made.status, made.incomplete_details) == ("incomplete", made.incomplete_details)
    again: Any = [{"role": "user", "content": QUESTION}, *made.output, {"role": "user", "content": "More!"}]
    assert client.responses.create(model="stories", input=again, max_output_tokens=3).output_text


def test_a_stream_tells_the_same_in_events(client: openai.OpenAI) -> None:
    options: Any = {"model": "stories", "input": QUESTION, "max_output_tokens": 20}
    whole = client.responses.create(**options)
    events = list(client.responses.create(**options, stream=True))
    kinds = [event.type.removeprefix("response.") for event in events]
    assert kinds[:4] == ["created", "in_progress", "output_item.added", "content_part.added"]
    assert kinds[-4:] == ["output_text.done", "content_part.done", "output_item.done", "incomplete"]
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == whole.output_text
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].response.output_text == whole.output_text
    assert events[-1].response.usage == whole.usage


def test_calls_are_items_of_their_own(client: openai.OpenAI) -> None:
    options: Any = {
        "model": "stories", "input": QUESTION, "tools": TOOLS, "max_output_tokens": 100,
        "tool_choice": {"type": "function", "name": "find"},
    }  # fmt: skip
    made = client.responses.create(**options)
    [call] = made.output
    assert call.type == "function_call"
    assert json.loads(call.arguments)["id"] in range(1, 10)
    events = list(client.responses.create(**options, stream=True))
    deltas = [e.delta for e in events if e.type == "response.function_call_arguments.delta"]
    assert "".join(deltas) == call.arguments
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "Here."}
    more = client.responses.create(
        model="stories", input=[{"role": "user", "content": QUESTION}, call, result], max_output_tokens=3
    )  # type: ignore[call-overload]
    assert more.output_text


def test_answers_have_the_form_of_a_schema(client: openai.OpenAI) -> None:
    shape: Any = {"format": {"type": "json_schema", "name": "x", "schema": FIND}}
    made = client.responses.create(model="stories", input=QUESTION, text=shape, max_output_tokens=200)
    assert json.loads(made.output_text)["id"] in range(1, 10)


@pytest.mark.parametrize(
    ("change", "param"),
    [({"store": True}, "store"), ({"previous_response_id": "x"}, "previous_response_id"),
     ({"tool_choice": "auto"}, None), ({"input": []}, "input")],
)  # fmt: skip
def test_what_is_not_kept_or_done_is_refused(client: openai.OpenAI, change: Any, param: str | None) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(**{"model": "stories", "input": QUESTION, **change})
    assert refused.value.param == param
