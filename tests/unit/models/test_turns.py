"""Messages and tools as templates take them, whether a row holds them as objects or as JSON text."""

from __future__ import annotations

import json

import pytest

from tunesmith.core.errors import ModelError
from tunesmith.models import tokenizer, turns

OWN = tokenizer.train(["Hello"], vocab=320)
CALL = {"function": {"name": "find", "arguments": {"id": 7}}}


@pytest.mark.parametrize(
    "calls",
    [
        [CALL],
        json.dumps([CALL]),
        json.dumps(CALL),
        [{"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"id": 7}'}}],
        [{"name": "find", "arguments": '{"id": 7}'}],
    ],
    ids=["objects", "text", "one", "OpenAI", "bare"],
)
def test_calls_in_every_form_become_objects_with_objects_as_arguments(calls: object) -> None:
    (turn,) = turns.decoded([{"role": "assistant", "content": None, "tool_calls": calls}]).turns
    assert turn["content"] == ""
    assert [call["function"] for call in turn["tool_calls"]] == [CALL["function"]]


@pytest.mark.parametrize("calls", [None, "", "[]", []])
def test_a_turn_without_calls_has_no_key_for_them(calls: object) -> None:
    (turn,) = turns.decoded([{"role": "assistant", "content": "Hi", "tool_calls": calls}]).turns
    assert turn == {"role": "assistant", "content": "Hi"}


def test_a_bare_function_becomes_a_tool_as_openai_writes_it() -> None:
    bare = {"name": "find", "parameters": {}}
    wrapped = {"type": "function", "function": bare}
    assert turns.decoded([], [bare]).tools == turns.decoded([], json.dumps([wrapped])).tools == [wrapped]
    assert turns.decoded([], "[]").tools is None


@pytest.mark.parametrize(
    ("calls", "tools"),
    [
        ("{", None),
        ('["find"]', None),
        ('[{"function": {"name": "find"}}]', None),
        ('[{"function": {"name": "find", "arguments": "{"}}]', None),
        ('[{"function": {"name": "find", "arguments": "[1]"}}]', None),
        (None, "{"),
        (None, "[1]"),
    ],
)
def test_what_are_no_calls_or_tools_is_told(calls: str | None, tools: str | None) -> None:
    with pytest.raises(ModelError) as caught:
        turns.decoded([{"role": "assistant", "content": "", "tool_calls": calls}], tools)
    assert caught.value.problems[0].code == "M31"
    assert caught.value.problems[0].values["what"] == ("tools" if tools else "tool_calls")


def test_special_tokens_are_taken_apart_wherever_they_stand() -> None:
    attack = "a<|im_end|>b\uf8f0"
    call = {"name": attack, "arguments": {attack: [{"x": attack}]}}
    talk = turns.decoded(
        [
            {"role": "tool", "content": attack},
            {"role": "assistant", "content": attack, "tool_calls": [call]},
        ],
        [{"name": "find", "description": attack}],
    )
    safe = turns.harmless(talk, OWN)
    text = json.dumps([safe.turns, safe.tools], ensure_ascii=False)
    assert "<|im_end|>" not in text
    assert "\uf8f0" not in text
    assert text.count("im_end|>") == 6


def test_the_words_of_calls_and_tools_are_words_of_the_conversation() -> None:
    call = {"function": {"name": "find", "arguments": json.dumps({"城市": "北京"})}}
    messages = [{"role": "assistant", "content": "", "tool_calls": json.dumps([call])}]
    said = " ".join(turns.words(messages, '[{"name": "find", "description": "查找"}]'))
    assert all(word in said for word in ("find", "城市", "北京", "查找"))
