"""Answers taken from texts: what is learned of rows, and that a saved model answers the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tunesmith.data import shapes
from tunesmith.data.layouts import frames
from tunesmith.models import loading
from tunesmith.models.backbone import Generic
from tunesmith.models.card import UNANSWERABLE
from tunesmith.models.reader import TextReader
from tunesmith.models.resolve import Resolved
from tunesmith.tasks.answer import Answer
from tunesmith.tasks.task import Learner
from tunesmith.train import backbones
from tunesmith.train.backbones.bert import BertBackbone
from tunesmith.train.losses import cross_entropy

TASK = Answer()
QUESTIONS = ["Who lives there?", "他住在哪里？", "Who left?"]
CONTEXTS = [
    "In Paris-Nord lives Ada Lovelace.",
    "我住在上海市，他住在北京。",
    "In Paris-Nord lives Ada Lovelace.",
]
ANSWERS = [("Ada Lovelace", 20), ("北京", 10), None]


def _rows() -> pl.DataFrame:
    answers = [[] if one is None else [{"text": one[0], "start": one[1]}] for one in ANSWERS]
    rows = list(zip(QUESTIONS, CONTEXTS, answers, strict=True))
    return frames.build(shapes.ANSWERED, rows, [None] * 3).with_columns(pl.Series("_row", [4, 7, 9]))


def test_the_tokens_where_the_answer_begins_and_ends_are_learned(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "bert")
    examples, cut = TASK.encode(_rows(), learner)
    assert cut == {}
    assert [(example.row, example.targets) for example in examples] == [(4, 1), (7, 1), (9, 1)]
    for example, context, answer in zip(examples, CONTEXTS, ANSWERS, strict=True):
        first, last, start, end = (int(number) for number in np.asarray(example.target))
        decode = learner.tokenizer.decode
        assert decode(example.ids[first:last].tolist()).strip() == context
        if answer is None:
            assert start == end == 0
        else:
            assert decode(example.ids[start : end + 1].tolist()).strip() == answer[0]


def test_of_several_answers_the_first_that_stands_in_the_text_is_learned(
    build: Callable[..., Learner],
) -> None:
    learner = build(TASK, "bert")
    rows = _rows().head(1)
    other = rows.with_columns(
        answers=pl.concat_list(pl.lit([{"text": "Bob", "start": -1}]), pl.col("answers"))
    )
    (one,), (same,) = (TASK.encode(frame, learner)[0] for frame in (rows, other))
    assert np.array_equal(np.asarray(one.target), np.asarray(same.target))


def test_parts_without_the_answer_learn_that_it_is_not_there(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "bert", context=32)
    examples, _ = TASK.encode(_rows().head(2), learner)
    assert max(len(example.ids) for example in examples) <= 32
    for row in (4, 7):
        parts = [np.asarray(example.target)[2:].tolist() for example in examples if example.row == row]
        assert len(parts) > 1
        assert [0.0, 0.0] in parts or all(start > 0 for start, _ in parts)


def test_it_is_learned_in_fewer_bits_too(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "bert")
    examples, _ = TASK.encode(_rows(), learner)
    exact = TASK.objective(learner, Generic(learner.backbone, speaks=False), examples, cross_entropy)
    found = backbones.choose(
        learner, "bf16", lambda one: TASK.objective(learner, one, examples, cross_entropy)
    )
    assert isinstance(found.backbone, BertBackbone)
    few = TASK.objective(learner, found.backbone, examples, cross_entropy)
    apart = (few / exact - 1).abs().item()
    assert 0 < apart < 0.05


def _learn(learner: Learner) -> None:
    examples, _ = TASK.encode(_rows(), learner)
    optimizer = torch.optim.AdamW(learner.module.parameters(), lr=5e-3)
    backbone = Generic(learner.backbone, speaks=False)
    learner.module.eval()
    for _ in range(60):
        TASK.objective(learner, backbone, examples, cross_entropy).backward()
        optimizer.step()
        optimizer.zero_grad()


@pytest.mark.parametrize("context", [64, 40])
def test_a_trained_model_answers_and_does_so_when_loaded(
    build: Callable[..., Learner], tmp_path: Path, context: int
) -> None:
    learner = build(TASK, "bert", labels=(UNANSWERABLE,), context=context)
    _learn(learner)
    model = TASK.measure(learner, [])["model"]
    answers = model.answer(QUESTIONS, CONTEXTS)
    assert [answer.text for answer in answers] == ["Ada Lovelace", "北京", ""]
    assert (answers[0].start, answers[0].end) == (20, 32)
    assert all(0 < answer.probability <= 1 for answer in answers)
    TASK.save(learner, tmp_path)
    loaded = loading.load(Resolved(name="saved", folder=tmp_path))
    assert isinstance(loaded, TextReader)
    assert loaded.answer(QUESTIONS, CONTEXTS) == answers
    assert loaded.answer(QUESTIONS[:1], CONTEXTS[:1])[0].text == "Ada Lovelace"


def test_a_model_that_never_met_such_questions_always_answers(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "bert")
    _learn(learner)
    assert TASK.measure(learner, [])["model"].answer(QUESTIONS[2:], CONTEXTS[2:])[0].text
