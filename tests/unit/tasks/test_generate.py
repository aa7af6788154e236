"""Language modelling: every token of every text is learned, none is cut off."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from tunesmith.tasks.generate import Generate
from tunesmith.tasks.task import Learner

TASK = Generate()
TEXTS = ["The parcel is late.", "快递三天没动了，什么时候能到？" * 8]


def frame(*texts: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"_row": range(len(texts)), "text": texts}, schema={"_row": pl.Int64, "text": pl.String}
    )


def test_a_text_is_framed_and_ended_and_every_token_is_learned(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "llama")
    (example,), cut = TASK.encode(frame(TEXTS[0]), learner)
    assert cut == {}
    assert learner.tokenizer.decode(example.ids.tolist(), skip_special_tokens=False) == f"<s>{TEXTS[0]}</s>"
    assert example.targets == len(example.ids) - 1


@pytest.mark.parametrize("context", range(8, 20))
def test_a_long_text_goes_on_in_further_examples_and_each_token_is_predicted_once(
    build: Callable[..., Learner], context: int
) -> None:
    learner = build(TASK, "llama", context=context)
    examples, cut = TASK.encode(frame(TEXTS[1]), learner)
    assert cut == {}
    assert {example.row for example in examples} == {0}
    assert all(2 <= len(example.ids) <= context for example in examples)
    predicted = [int(i) for example in examples for i in example.ids[1:]]
    assert learner.tokenizer.decode(predicted, skip_special_tokens=False) == f"{TEXTS[1]}</s>"
    assert sum(example.targets for example in examples) == len(predicted)


def test_a_text_without_a_character_is_still_an_end_to_be_learned(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "llama")
    examples, _ = TASK.encode(frame(""), learner)
    assert [example.targets for example in examples] == [1]
