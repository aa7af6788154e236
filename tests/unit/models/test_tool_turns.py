"""Conversations with tools: calls are learned whole, tools' answers never, and serving repeats the ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from tunesmith.core.errors import ModelError
from tunesmith.models import scratch, tokenizer
from tunesmith.models.contract import TEMPLATES, PromptContract

OWN = tokenizer.train(
    ["Where is my parcel?", '{"name": "find", "arguments": {"id": 7}}', "包裹"] * 3, vocab=340
)
CHATML = scratch.contract(OWN)
PLAIN = replace(CHATML, template=TEMPLATES["plain"], stop=("</s>",))
# As Qwen 2.5 writes it: results in the user's turn, several calls below each other.
QWEN = replace(
    CHATML,
    template=(
        "{%- if tools %}\n    {{- '<|im_start|>system\\n' }}\n    {%- for tool in tools %}\n"
        '        {{- "\\n" }}\n        {{- tool | tojson }}\n    {%- endfor %}\n    {{- "<|im_end|>\\n" }}\n'
        "{%- endif %}\n"
        "{%- for message in messages %}\n"
        "    {%- if message.role != 'tool' and not message.tool_calls %}\n"
        "        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}\n"
        '    {%- elif message.role == "assistant" %}\n'
        "        {{- '<|im_start|>' + message.role }}\n"
        "        {%- if message.content %}\n            {{- '\\n' + message.content }}\n"
        "        {%- endif %}\n"
        "        {%- for tool_call in message.tool_calls %}\n"
        "            {%- if tool_call.function is defined %}\n"
        "                {%- set tool_call = tool_call.function %}\n            {%- endif %}\n"
        '            {{- \'\\n<tool_call>\\n{"name": "\' }}\n            {{- tool_call.name }}\n'
        '            {{- \'", "arguments": \' }}\n            {{- tool_call.arguments | tojson }}\n'
        "            {{- '}\\n</tool_call>' }}\n        {%- endfor %}\n        {{- '<|im_end|>\\n' }}\n"
        '    {%- elif message.role == "tool" %}\n'
        '        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}\n'
        "            {{- '<|im_start|>user' }}\n        {%- endif %}\n"
        "        {{- '\\n<tool_response>\\n' }}\n        {{- message.content }}\n"
        "        {{- '\\n</tool_response>' }}\n"
        '        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}\n'
        "            {{- '<|im_end|>\\n' }}\n        {%- endif %}\n    {%- endif %}\n{%- endfor %}\n"
        "{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n{%- endif %}\n"
    ),
)
# As Mistral writes it: no cue before an answer, the calls as one JSON list.
MISTRAL = replace(
    PLAIN,
    template=(
        "{{ bos_token }}{% if tools %}[AVAILABLE_TOOLS]{{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif %}"
        "{% for m in messages %}{% if m.role == 'tool' %}[TOOL_RESULTS]{{ m.content }}[/TOOL_RESULTS]"
        "{% elif m.tool_calls %}{{ m.content }}[TOOL_CALLS]"
        "{{ m.tool_calls | map(attribute='function') | list | tojson }}</s>"
        "{% elif m.role == 'assistant' %}{{ m.content }}</s>"
        "{% else %}[INST]{{ m.content }}[/INST]{% endif %}{% endfor %}"
    ),
)
CONTRACTS = {"chatml": CHATML, "plain": PLAIN, "qwen": QWEN, "mistral": MISTRAL}
TOOLS = json.dumps([{"name": "find", "description": "查包裹 </s>", "parameters": {"type": "object"}}])


def calling(*arguments: dict[str, Any], content: str = "") -> dict[str, Any]:
    calls = [{"function": {"name": "find", "arguments": given}} for given in arguments]
    return {"role": "assistant", "content": content, "tool_calls": json.dumps(calls)}


def said(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content, "tool_calls": None}


TALK = [
    said("system", "Help."),
    said("user", "Where is my parcel?"),
    calling({"id": 7}, {"城市": "北京"}),
    said("tool", '{"place": "Hamburg"}'),
    said("tool", '{"place": "<|im_end|>"}'),
    said("assistant", "In Hamburg."),
    said("user", "谢谢！ And the other?"),
    calling({"id": "a\n\"b\" </s> {}"}, content="One moment."),
    said("tool", "{}"),
    said("assistant", "不知道。"),
]  # fmt: skip


def learned(contract: PromptContract, talk: Sequence[dict[str, Any]], tokens: Tokenizer = OWN) -> str:
    ids, mask = contract.encode_training(tokens, talk, TOOLS)[0]
    return tokens.decode([i for i, keep in zip(ids, mask, strict=True) if keep], skip_special_tokens=False)


def served_as_trained(contract: PromptContract, talk: Sequence[dict[str, Any]], tokens: Tokenizer) -> None:
    """Each question's ids, as served, are the beginning of those trained, and the answer follows them."""
    ids, mask = contract.encode_training(tokens, talk, TOOLS)[0]
    for number, turn in enumerate(talk):
        if turn["role"] == "assistant":
            prompt = contract.encode(tokens, talk[:number], TOOLS)
            assert ids[: len(prompt)] == prompt
            assert mask[len(prompt)]


@pytest.mark.parametrize("name", ["own", "stories260K-hf", "gpt2-tokenizer", "bert-base-chinese-vocab"])
@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_what_is_served_is_a_prefix_of_what_was_trained(
    shared_data: Path, name: str, contract: PromptContract
) -> None:
    file = shared_data / "weights" / name / "tokenizer.json"
    served_as_trained(contract, TALK, OWN if name == "own" else Tokenizer.from_file(str(file)))


def test_calls_and_answers_with_their_stops_are_learned_and_nothing_else() -> None:
    assert learned(CHATML, TALK) == (
        '<tool_call>\n{"name": "find", "arguments": {"id": 7}}\n</tool_call>\n'
        '<tool_call>\n{"name": "find", "arguments": {"城市": "北京"}}\n</tool_call><|im_end|>'
        "In Hamburg.<|im_end|>"
        'One moment.\n<tool_call>\n{"name": "find", "arguments": {"id": "a\\n\\"b\\" <\u2060/s> {}"}}\n'
        "</tool_call><|im_end|>"
        "不知道。<|im_end|>"
    )


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_under_every_template_the_whole_call_is_learned_and_no_result(contract: PromptContract) -> None:
    found = learned(contract, TALK)
    assert found.count("find") == 3
    assert found.count(contract.stop[0]) == 4
    assert "Hamburg." in found
    assert "place" not in found
    assert "parcel" not in found


@given(
    arguments=st.dictionaries(st.text(max_size=6), st.text(max_size=12) | st.integers(), max_size=3),
    content=st.text(max_size=12),
    result=st.text(max_size=20),
    answer=st.text(min_size=1, max_size=20),
)
def test_no_call_and_no_result_can_break_the_prefix(
    arguments: dict[str, Any], content: str, result: str, answer: str
) -> None:
    call = calling(arguments, content=content)
    talk = [said("user", "hi"), call, said("tool", result), said("assistant", answer)]
    for contract in (CHATML, PLAIN, QWEN):
        served_as_trained(contract, talk, OWN)
        assert learned(contract, talk).count(contract.stop[0]) == 2


@pytest.mark.parametrize("name", ["chatml", "plain", "qwen"])
def test_transformers_renders_the_same_text(name: str) -> None:
    contract = CONTRACTS[name]
    theirs = PreTrainedTokenizerFast(tokenizer_object=OWN, bos_token="<s>", eos_token="</s>")
    talk = [{**turn, "tool_calls": json.loads(turn["tool_calls"])} if turn["tool_calls"] else said_only(turn)
            for turn in TALK]  # fmt: skip
    tools = [{"type": "function", "function": tool} for tool in json.loads(TOOLS)]
    text = theirs.apply_chat_template(talk, tools=tools, chat_template=contract.template, tokenize=False)
    assert text == contract.render(TALK, TOOLS, answer=False)


def said_only(turn: dict[str, Any]) -> dict[str, Any]:
    return {"role": turn["role"], "content": turn["content"]}


OLD = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
UNFIT = {
    "no calls": "{{ tools }}" + OLD,
    "no tools": CHATML.template.replace("{% if tools %}", "{% if false %}"),
    "no results": CHATML.template.replace(
        "{{ message.content }}", "{{ message.content if message.role != 'tool' }}"
    ),
    "roles": "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('roles must alternate') }}"
    "{% endif %}{% endfor %}" + CHATML.template,
    "escaped": CHATML.template.replace("name | tojson", "name | tojson(ensure_ascii=True)"),
}


@pytest.mark.parametrize("template", UNFIT.values(), ids=UNFIT)
def test_a_template_that_cannot_show_tools_is_told_by_its_name(template: str) -> None:
    with pytest.raises(ModelError) as caught:
        replace(CHATML, template=template).encode_training(OWN, TALK, TOOLS)
    problem = caught.value.problems[0]
    assert problem.code == "M30"
    assert problem.values["template"][:40] == template[:40]
    assert "chatml" in problem.as_dict("en")["hint"]


def test_without_tools_such_a_template_is_as_good_as_any() -> None:
    talk = [said("user", "a"), said("assistant", "b")]
    ids, _ = replace(CHATML, template=OLD).encode_training(OWN, talk)[0]
    assert ids == CHATML.encode_training(OWN, talk)[0][0]


def test_calls_that_nothing_ends_are_refused() -> None:
    endless = CHATML.template.replace(
        "<|im_end|>\n{% endfor %}",
        "{% if not message.tool_calls %}<|im_end|>{% endif %}{{ '\n' }}{% endfor %}",
    )
    with pytest.raises(ModelError) as caught:
        replace(CHATML, template=endless).encode_training(OWN, TALK, TOOLS)
    assert caught.value.problems[0].code == "M16"
