"""Conversations: the loss is on what the assistant says and calls alone, and what was cut is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith.data import mapping, shapes
from tunesmith.data.reading import read
from tunesmith.tasks.chat import Chat
from tunesmith.tasks.task import Example, Learner

TASK = Chat()
TURN = pl.Struct({"role": pl.String, "content": pl.String, "tool_calls": pl.String})
SCHEMA = {"_row": pl.Int64(), "messages": pl.List(TURN), "tools": pl.String()}


def talk(*turns: str) -> list[dict[str, Any]]:
    return [
        {"role": ("user", "assistant")[i % 2], "content": text, "tool_calls": None}
        for i, text in enumerate(turns)
    ]


def frame(*talks: list[dict[str, Any]], tools: str | None = None) -> pl.DataFrame:
    rows = {"_row": range(len(talks)), "messages": list(talks), "tools": [tools] * len(talks)}
    return pl.DataFrame(rows, schema=SCHEMA)


def parts_of(example: Example, learner: Learner, *, learned: bool) -> str:
    ids = [int(i) for i, keep in zip(example.ids, example.target, strict=True) if keep == learned]  # type: ignore[arg-type]
    return learner.tokenizer.decode(ids, skip_special_tokens=False)


def test_every_answer_and_its_stop_is_learned_and_nothing_else(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "llama")
    (example,), _ = TASK.encode(frame(talk("Hi", "Hello!", "再见", "慢走")), learner)
    assert parts_of(example, learner, learned=True) == "Hello!<|im_end|>慢走<|im_end|>"
    assert example.targets == sum(example.target)  # type: ignore[arg-type]


def test_a_long_conversation_is_cut_and_one_without_an_answer_left_has_nothing_to_learn(
    build: Callable[..., Learner],
) -> None:
    learner = build(TASK, "llama", context=24)
    examples, cut = TASK.encode(frame(talk("Hi", "word " * 30), talk("word " * 30, "Hi")), learner)
    assert [len(example.ids) for example in examples] == [24, 24]
    assert cut.keys() == {0, 1}
    assert examples[0].targets > 0
    assert examples[1].targets == 0


def test_the_words_of_every_message_train_the_tokenizer() -> None:
    assert TASK.texts(frame(talk("Hi", "Hello!"), talk("再见", "慢走"))) == ["Hi", "Hello!", "再见", "慢走"]


def test_rows_bring_their_weight_and_may_repeat(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "llama", context=24)
    rows = frame(talk("Hi", "word " * 30)).with_columns(_weight=pl.lit(0.5))
    examples, cut = TASK.encode(pl.concat([rows, rows]), learner)
    assert [(example.row, example.weight) for example in examples] == [(0, 0.5), (0, 0.5)]
    assert cut.keys() == {0}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_of_real_conversations_with_tools_all_calls_and_answers_are_learned_and_no_result(
    build: Callable[..., Learner], shared_data: Path, language: str
) -> None:
    file = shared_data / "toolcall_glaive_demo" / f"glaive_toolcall_{language}_demo.json"
    table = read(file)
    rows = mapping.mapper(table, shapes.MESSAGES, {})(table).with_row_index("_row").cast({"_row": pl.Int64})
    learner = build(TASK, "llama")
    long = replace(learner, card=replace(learner.card, context=100_000))
    usable = rows.filter(pl.col("_bad").is_null())
    examples, cut = TASK.encode(usable, long)
    # In one of the Chinese ones a tool answers though nobody called it.
    assert len(examples) == {"en": 200, "zh": 199}[language]
    assert cut == {}
    given = json.loads(file.read_text("utf-8"))
    for example in examples:
        row = given[example.row]
        learned, read_only = (parts_of(example, learner, learned=which) for which in (True, False))
        turns = row["conversations"]
        said = [turn["value"] for turn in turns if turn["from"] == "gpt"]
        calls = [json.loads(turn["value"]) for turn in turns if turn["from"] == "function_call"]
        expected = {"gpt": iter(said), "function_call": map(called, calls)}
        assert learned == "".join(
            next(expected[turn["from"]]) + "<|im_end|>" for turn in turns if turn["from"] in expected
        )
        assert all(turn["value"] in read_only for turn in turns if turn["from"] == "observation")


def called(given: Any) -> str:
    calls = given if isinstance(given, list) else [given]
    return "\n".join(
        f'<tool_call>\n{{"name": {json.dumps(call["name"], ensure_ascii=False)}, '
        f'"arguments": {json.dumps(call["arguments"], ensure_ascii=False)}}}\n</tool_call>'
        for call in calls
    )
