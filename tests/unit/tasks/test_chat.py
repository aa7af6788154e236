"""Conversations: the loss is on the assistant's words alone, and what was cut is told."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tunesmith.tasks.chat import Chat
from tunesmith.tasks.task import Learner

TASK = Chat()


def talk(*turns: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(turns)]


def frame(*talks: list[dict[str, str]]) -> pl.DataFrame:
    return pl.DataFrame({"_row": range(len(talks)), "messages": list(talks)})


def test_every_answer_and_its_stop_is_learned_and_nothing_else(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "llama")
    (example,), _ = TASK.encode(frame(talk("Hi", "Hello!", "再见", "慢走")), learner)
    learned = [int(i) for i, keep in zip(example.ids, example.target, strict=True) if keep]
    said = learner.tokenizer.decode(learned, skip_special_tokens=False)
    assert said == "Hello!<|im_end|>慢走<|im_end|>"
    assert example.targets == len(learned)


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
