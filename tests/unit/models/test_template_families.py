"""Templates that behave as those of public families do: one prompt in training, served, and elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from tunesmith.core.errors import ModelError
from tunesmith.models import scratch, tokenizer
from tunesmith.models.contract import PromptContract
from tunesmith.workflow.verifying import conversations

TEMPLATES = {file.stem: file.read_text("utf-8") for file in (Path(__file__).parent / "templates").iterdir()}
TALKS = {talk["name"]: talk for talk in conversations()}
SPECIAL = [
    "[INST]", "[/INST]", "<<SYS>>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
    "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]",
    "<start_of_turn>", "<end_of_turn>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>",
    "<|observation|>", "<｜User｜>", "<｜Assistant｜>",
]  # fmt: skip
# Tokenizers of other kinds, with the tokens that begin and end their texts.
KINDS = {
    "gpt2-tokenizer": ("<|endoftext|>", "<|endoftext|>"),
    "stories260K-hf": ("<s>", "</s>"),
    "bert-base-chinese-vocab": ("[CLS]", "[SEP]"),
}
CANNOT = ("M10", "M30", "M71")


def _own() -> Tokenizer:
    made = tokenizer.train(["Hello, how are you?", "你好，请问包裹到哪里了？"] * 3, vocab=600)
    made.add_special_tokens(SPECIAL)
    return made


OWN = _own()


def other_kind(shared_data: Path, kind: str, template: str) -> tuple[Tokenizer, PromptContract]:
    tokens = Tokenizer.from_file(str(shared_data / "weights" / kind / "tokenizer.json"))
    bos, eos = KINDS[kind]
    made = replace(scratch.contract(OWN), bos=bos, eos=eos).with_template(TEMPLATES[template], tokens)
    return tokens, made


def contract_of(template: str) -> PromptContract:
    return scratch.contract(OWN).with_template(template, OWN)


def elsewhere(contract: PromptContract, tokens: Tokenizer = OWN) -> Any:
    """`apply_chat_template` of `transformers` with the same tokenizer and template."""
    loaded = PreTrainedTokenizerFast(
        tokenizer_object=tokens,
        bos_token=contract.bos,
        eos_token=contract.eos,
        chat_template=contract.template,
    )
    loaded.model_max_length = 10**9

    def ids(messages: Any, tools: Any, answer: bool) -> list[int]:
        return loaded.apply_chat_template(messages, tools=tools, add_generation_prompt=answer)["input_ids"]

    return ids


def differences(contract: PromptContract, other: Any, tokens: Tokenizer = OWN) -> Iterator[str]:
    """The conversations whose ids are not the same in training, when served and elsewhere."""
    for name, talk in TALKS.items():
        messages, tools = talk["messages"], talk.get("tools")
        try:
            examples = contract.encode_training(tokens, messages, tools)
        except ModelError as error:
            if error.problems[0].code not in CANNOT:
                raise
            continue
        whole = contract.talk(tokens, messages, tools)
        shift = len(whole.turns) - len(messages)
        same = other(whole.turns, whole.tools, False) == contract.encode(
            tokens, messages, tools, answer=False
        )
        for number in (n for n, message in enumerate(messages) if message["role"] == "assistant"):
            served = contract.encode(tokens, messages[:number], tools)
            trained = [
                ids[: len(served)] == served and not learned[len(served) - 1] and learned[len(served)]
                for ids, learned in examples
            ]
            same &= any(trained) and other(whole.turns[: number + shift], whole.tools, True) == served
        if not same:
            yield name


def test_there_are_enough_of_both() -> None:
    assert len(TEMPLATES) >= 14
    plain = [t for t in TALKS.values() if "tools" not in t and t["messages"][0]["role"] != "system"]
    assert len(plain) >= 30
    assert len(TALKS) >= 50


@pytest.mark.parametrize("name", TEMPLATES)
def test_ids_are_the_same_in_training_when_served_and_in_transformers(name: str) -> None:
    contract = contract_of(TEMPLATES[name])
    assert list(differences(contract, elsewhere(contract))) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["vicuna", "alpaca", "llama2"])
def test_the_same_holds_for_tokenizers_of_other_kinds(shared_data: Path, kind: str, name: str) -> None:
    tokens, contract = other_kind(shared_data, kind, name)
    assert list(differences(contract, elsewhere(contract, tokens), tokens)) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_change_of_one_space_is_found(name: str) -> None:
    """Of the texts in a template, a space before one that a conversation shows."""
    contract = contract_of(TEMPLATES[name])
    texts = list(re.finditer(r"""['"](?=<\||<｜|<s|\[INST|#|USER|ASSISTANT)""", contract.template))
    changed = (contract.template[: t.end()] + " " + contract.template[t.end() :] for t in reversed(texts))
    assert any(next(differences(contract, elsewhere(contract_of(template))), "") for template in changed)


def refusal(encode: Any, talk: Any, **settings: Any) -> str:
    try:
        encode(OWN, talk["messages"], talk.get("tools"), **settings)
    except ModelError as error:
        return error.problems[0].code
    return ""


def test_conversations_that_a_template_cannot_show_are_refused_on_every_path() -> None:
    refused = 0
    for name in ("gemma2", "llama3", "chatglm", "deepseek", "mistral-v1"):
        contract = contract_of(TEMPLATES[name])
        for talk in TALKS.values():
            trained = refusal(contract.encode_training, talk)
            assert refusal(contract.encode, talk, answer=False) == trained
            refused += bool(trained)
    assert refused > 30


@pytest.mark.parametrize(
    ("name", "roles", "tools"),
    [
        ("gemma2", ("user", "assistant"), False),
        ("deepseek", ("system", "user", "assistant"), False),
        ("mistral-v3", ("system", "user", "assistant", "tool"), True),
        ("qwen3", ("system", "user", "assistant", "tool"), True),
    ],
)
def test_what_a_template_shows_is_found_out(name: str, roles: tuple[str, ...], tools: bool) -> None:
    abilities = contract_of(TEMPLATES[name]).abilities
    assert (abilities.roles, abilities.tools) == (roles, tools)
    assert abilities.call_ids is (name == "mistral-v3")


def said(example: tuple[list[int], list[bool]]) -> str:
    return OWN.decode([i for i, keep in zip(*example, strict=True) if keep], skip_special_tokens=False)


def read(example: tuple[list[int], list[bool]]) -> str:
    return OWN.decode([i for i, keep in zip(*example, strict=True) if not keep], skip_special_tokens=False)


def test_thoughts_that_a_template_drops_later_are_learned_where_they_are_said() -> None:
    talk = TALKS["thoughts in both answers"]["messages"]
    last, first = contract_of(TEMPLATES["qwen3"]).encode_training(OWN, talk)
    assert said(last) == "<think>\n5 + 4。\n</think>\n\n9<|im_end|>"
    assert said(first) == "<think>\nTwo and three.\n</think>\n\n5<|im_end|>"
    # The later answer is asked for as it is when served: without the earlier thought.
    assert "Two and three" not in read(last)
    assert "<|im_start|>assistant\n5<|im_end|>" in read(last)


def test_an_answer_without_a_thought_is_learned_as_it_stands_when_it_is_the_last() -> None:
    talk = TALKS["two turns, English"]["messages"]
    examples = contract_of(TEMPLATES["qwen3"]).encode_training(OWN, talk)
    assert [said(e) for e in examples] == [
        "<think>\n\n</think>\n\nRome.<|im_end|>",
        "<think>\n\n</think>\n\nParis.<|im_end|>",
    ]


def test_a_thought_beside_the_content_is_the_same_as_one_in_it() -> None:
    contract = contract_of(TEMPLATES["qwen3"])
    question = {"role": "user", "content": "What is 17 * 3?"}
    inside = [question, {"role": "assistant", "content": "<think>\n17 * 3 = 51.\n</think>\n\n51"}]
    for key in ("reasoning_content", "thinking", "reasoning"):
        beside = [question, {"role": "assistant", "content": "51", key: "17 * 3 = 51."}]
        assert contract.encode_training(OWN, beside) == contract.encode_training(OWN, inside)


def test_a_template_that_keeps_its_history_makes_one_example_of_a_conversation() -> None:
    for name in ("chatml", "llama2", "llama3", "gemma2", "qwen2.5"):
        assert len(contract_of(TEMPLATES[name]).encode_training(OWN, TALKS["five turns"]["messages"])) == 1


def test_the_system_message_that_is_shown_in_the_last_question_only_is_read_in_training() -> None:
    talk = TALKS["system, Chinese"]["messages"]
    examples = contract_of(TEMPLATES["mistral-v3"]).encode_training(OWN, talk)
    assert [said(e) for e in examples] == [" 下午六点。</s>", " 晚上九点。</s>"]
    assert all("你是一家小店的客服" in read(e) for e in examples)


def test_an_answer_that_does_not_begin_as_it_is_asked_for_is_refused() -> None:
    thinking = TEMPLATES["deepseek"].replace(
        "{{- '<｜Assistant｜>' -}}", r"{{- '<｜Assistant｜><think>\n' -}}"
    )
    with pytest.raises(ModelError) as caught:
        contract_of(thinking).encode_training(OWN, TALKS["greeting, English"]["messages"])
    assert caught.value.problems[0].code == "M73"


def test_the_date_is_fixed_in_the_template_and_goes_with_it() -> None:
    contract = contract_of(TEMPLATES["llama3"])
    talk = TALKS["greeting, English"]["messages"]
    assert "Today Date: 26 Jul 2024\n" in contract.render(talk)
    written = contract_of(
        "{{ strftime_now('%Y-%m-%d (%A, %B)') }}{% for m in messages %}{{ m.content }}{% endfor %}"
    )
    assert written.render(talk[:1], answer=False) == "2024-07-26 (Friday, July)Hello"


def test_special_tokens_in_what_people_write_are_text_here_and_control_elsewhere() -> None:
    """The one place where `transformers` is not followed: a message could end its turn and begin another."""
    contract = contract_of(TEMPLATES["chatml"])
    messages = TALKS["special tokens as text"]["messages"]
    ours = contract.encode(OWN, messages[:1])
    theirs = elsewhere(contract)(messages[:1], None, True)
    end = OWN.token_to_id("<|im_end|>")
    assert (ours.count(end), theirs.count(end)) == (1, 2)


def test_line_breaks_that_begin_an_answer_stay_apart_from_the_one_before_them(shared_data: Path) -> None:
    """A tokenizer may melt them together; the model cannot: the first was given, the others are said."""
    tokens, contract = other_kind(shared_data, "gpt2-tokenizer", "alpaca")
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "\n\nHello"}]
    ((ids, learned),) = contract.encode_training(tokens, messages)
    prompt = contract.encode(tokens, messages[:1])
    assert prompt == elsewhere(contract, tokens)(messages[:1], None, True)
    assert ids[: len(prompt)] == prompt
    assert learned.index(True) == len(prompt)
    assert tokens.decode(ids) == tokens.decode(elsewhere(contract, tokens)(messages, None, False))
    assert ids != elsewhere(contract, tokens)(messages, None, False)
