"""Calls of tools and answers of a given form: held to their schemas, streamed or whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from tunesmith.models.calls import CallForm
from tunesmith.models.language import LanguageModel
from tunesmith.models.token import Token
from tunesmith.serve.calls import Call, CallReader, Text
from tunesmith.serve.served import TextDeployment
from tunesmith.serve.server import serving

QUESTION: Any = [{"role": "user", "content": "Where is my parcel?"}]
NUMBER = {"type": "integer", "minimum": 1, "maximum": 9}
FIND = {"type": "object", "properties": {"id": NUMBER}, "required": ["id"], "additionalProperties": False}
TOOLS: Any = [
    {"type": "function", "function": {"name": "find", "parameters": FIND}},
    {"type": "function", "function": {"name": "halt"}},
]
FORM = CallForm(
    before='<tool_call>\n{"name": "',
    between='", "arguments": ',
    middle='}\n</tool_call>\n<tool_call>\n{"name": "',
    after="}\n</tool_call>",
)
TWO = (
    'I look. <tool_call>\n{"name": "find", "arguments": {"id": 3, "q": "a\\"}{"}}\n</tool_call>\n'
    '<tool_call>\n{"name": "halt", "arguments": {}}\n</tool_call>'
)


@pytest.fixture(scope="module")
def client(story_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{story_url}/v1", api_key="none", max_retries=0) as client:
        yield client


@given(cuts=st.lists(st.integers(0, len(TWO)), max_size=30))
def test_calls_are_read_however_their_text_comes(cuts: list[int]) -> None:
    reader, found = CallReader(FORM), list[Text | Call]()
    places = [0, *sorted(cuts), len(TWO)]
    for start, end in pairwise(places):
        found += reader.feed(TWO[start:end], last=False)
    found += reader.feed("", last=True)
    assert "".join(piece.text for piece in found if isinstance(piece, Text)) == "I look. "
    calls = [piece for piece in found if isinstance(piece, Call)]
    assert [(c.index, c.name) for c in calls if c.name] == [(0, "find"), (1, "halt")]
    arguments = ["".join(c.arguments for c in calls if c.index == i) for i in (0, 1)]
    assert [json.loads(text) for text in arguments] == [{"id": 3, "q": 'a"}{'}, {}]


@pytest.mark.parametrize("text", ["no call", "\n ", "almost <tool_call>", "<tool_call> not one"])
def test_what_is_no_call_is_text(text: str) -> None:
    reader = CallReader(FORM)
    found = [piece for c in text for piece in reader.feed(c, last=False)] + reader.feed("", last=True)
    assert "".join(piece.text for piece in found if isinstance(piece, Text)) == text
    assert not reader.called


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_that_has_to_be_called_is_called_with_fitting_arguments(
    client: openai.OpenAI, stream: bool
) -> None:
    choice: Any = {"type": "function", "function": {"name": "find"}}
    made: Any = client.chat.completions.create(
        model="stories", messages=QUESTION, tools=TOOLS, tool_choice=choice, max_tokens=100, stream=stream
    )
    if stream:
        choices = [event.choices[0] for event in made]
        pieces = [call for choice in choices for call in choice.delta.tool_calls or ()]
        assert pieces[0].id
        assert {piece.id for piece in pieces[1:]} == {None}
        name, arguments = pieces[0].function.name, "".join(p.function.arguments or "" for p in pieces)
        assert len(pieces) > 3
    else:
        choices, call = made.choices, made.choices[0].message.tool_calls[0]
        name, arguments = call.function.name, call.function.arguments
        assert made.choices[0].message.content is None
    assert (name, choices[-1].finish_reason) == ("find", "tool_calls")
    assert json.loads(arguments)["id"] in range(1, 10)


def test_arguments_are_an_object_though_their_schema_does_not_say_so(client: openai.OpenAI) -> None:
    parameters = {"properties": {"city": {"enum": ["x", "y"]}}, "required": ["city"]}
    made = client.chat.completions.create(
        model="stories", messages=QUESTION, tools=tool(parameters)["tools"], tool_choice="required",
        parallel_tool_calls=False, max_tokens=60, temperature=1.0, seed=4, n=3,
    )  # fmt: skip
    for choice in made.choices:
        (call,) = choice.message.tool_calls or ()
        assert call.function.arguments.lstrip().startswith("{")  # type: ignore[union-attr]


def test_some_tool_is_called_once_where_one_is_required(client: openai.OpenAI) -> None:
    made = client.chat.completions.create(
        model="stories", messages=QUESTION, tools=TOOLS, tool_choice="required",
        parallel_tool_calls=False, max_tokens=100, temperature=1.0, seed=4, n=3,
    )  # fmt: skip
    for choice in made.choices:
        calls: Any = choice.message.tool_calls
        assert len(calls) == 1
        assert calls[0].function.name in ("find", "halt")


def test_a_model_may_speak_and_call_several(stories: LanguageModel, engine: Any) -> None:
    ids = stories.tokenizer.encode(TWO, add_special_tokens=False).ids
    engine.script = [Token(handle=0, id=i, likelihood=None, finish=None) for i in ids[:-1]]
    engine.script.append(Token(handle=0, id=ids[-1], likelihood=None, finish="complete"))
    fake = TextDeployment(
        name="fake", created=1, tokenizer=stories.tokenizer, contract=stories.contract,
        context=512, vocabulary=512, engine=engine,
    )  # fmt: skip
    with serving([fake]) as url, openai.OpenAI(base_url=f"{url}/v1", api_key="none") as client:
        made = client.chat.completions.create(model="fake", messages=QUESTION, tools=TOOLS)
    message = made.choices[0].message
    assert (message.content, made.choices[0].finish_reason) == ("I look. ", "tool_calls")
    calls: Any = message.tool_calls
    assert [call.function.name for call in calls] == ["find", "halt"]
    assert engine.submitted[0][0].sampling.grammar is not None


def test_a_conversation_goes_on_after_its_calls(client: openai.OpenAI, stories: LanguageModel) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"id": 3}'}}
    messages: Any = [
        *QUESTION,
        {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None},
        {"role": "tool", "tool_call_id": "c1", "content": "In Paris."},
    ]
    made = client.chat.completions.create(model="stories", messages=messages, tools=TOOLS, max_tokens=3)
    assert made.usage is not None
    assert made.usage.prompt_tokens == len(stories.contract.encode(stories.tokenizer, messages, TOOLS))


class Child(BaseModel):
    name: Literal["Lily", "Tom"]
    age: int = Field(ge=0, le=99)


def test_answers_have_the_form_of_a_schema(client: openai.OpenAI) -> None:
    made = client.chat.completions.parse(
        model="stories", messages=QUESTION, response_format=Child, max_tokens=200
    )
    assert isinstance(made.choices[0].message.parsed, Child)
    assert made.choices[0].finish_reason == "stop"
    loose: Any = {"type": "json_object"}
    many = client.chat.completions.create(
        model="stories",
        messages=QUESTION,
        response_format=loose,
        max_tokens=300,
        n=4,
        temperature=1.5,
        seed=1,
    )
    ended = [choice.message.content or "" for choice in many.choices if choice.finish_reason == "stop"]
    assert all(isinstance(json.loads(text), dict) for text in ended)


NOBODY = {"type": "function", "function": {"name": "nobody"}}


def schema(inner: object) -> dict[str, Any]:
    named = {"name": "x", "schema": inner}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def tool(parameters: object) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": {"name": "x", "parameters": parameters}}]}


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        (schema({"$ref": "http://127.0.0.1:9/x"}), "S38", "response_format"),
        (schema({"$ref": "file:///etc/passwd"}), "S38", "response_format"),
        (schema({"type": "string", "pattern": "(?=a)b"}), "S38", "response_format"),
        (schema({"enum": ["x" * 70_000]}), "S38", "response_format"),
        (schema(json.loads('{"items":' * 300 + "{}" + "}" * 300)), "S38", "response_format"),
        (tool(json.loads('{"items":' * 900 + "{}" + "}" * 900)), "S38", "tools"),
        (tool({"description": "\ud800"}), "S38", "tools"),
        (tool({"type": "string"}), "S38", "tools"),
        ({"tools": []}, "S10", "tools"),
        ({"tool_choice": "auto"}, "S43", None),
        ({"tools": TOOLS, "response_format": {"type": "json_object"}}, "S44", None),
        ({"tools": TOOLS, "tool_choice": NOBODY}, "S41", "tool_choice"),
        ({"messages": [{**QUESTION[0], "tool_call_id": "c"}]}, "S42", "messages.0.tool_call_id"),
    ],
)  # fmt: skip
def test_forms_that_cannot_be_held_to_are_refused(
    story_url: str, change: dict[str, Any], code: str, param: str | None
) -> None:
    body = {"model": "stories", "messages": QUESTION, **change}
    kind = {"Content-Type": "application/json"}
    response = httpx.post(
        f"{story_url}/v1/chat/completions", content=json.dumps(body), headers=kind, timeout=60
    )
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (400, code, param)
