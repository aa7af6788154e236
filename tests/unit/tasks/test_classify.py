"""Classification: rows become examples, and what is saved answers as what was trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tunesmith.models import loading
from tunesmith.models.classifier import TextClassifier
from tunesmith.models.resolve import Resolved
from tunesmith.tasks.classify import Classify
from tunesmith.tasks.task import Learner, Start
from tunesmith.train.methods import full, lora

LABELS = ("billing", "delivery", "其他")
ROWS = pl.DataFrame(
    {
        "_row": [4, 7, 9],
        "text": ["late", "快递三天没动了，什么时候能到？" * 4, ""],
        "label": ["delivery", "其他", "billing"],
    }
)
TASK = Classify()


@pytest.mark.parametrize("architecture", ["bert", "llama", "transformer_encoder", "transformer_decoder"])
def test_rows_become_examples_that_keep_their_frame_and_say_what_was_cut(
    build: Callable[..., Learner], architecture: str
) -> None:
    learner = build(TASK, architecture, context=16, labels=LABELS)
    examples, cut = TASK.encode(ROWS, learner)
    assert [example.row for example in examples] == [4, 7, 9]
    assert [example.target for example in examples] == [1, 2, 0]
    whole = [learner.tokenizer.encode(text).ids for text in ROWS["text"]]
    assert cut == {7: len(whole[1]) - 16}
    assert examples[0].ids.tolist() == whole[0]
    assert len(examples[1].ids) == 16
    assert examples[1].ids[-1] == whole[1][-1]
    assert all(example.targets == 1 for example in examples)


def test_rows_bring_their_weight_and_may_repeat(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "bert", context=16, labels=LABELS)
    rows = pl.concat([ROWS, ROWS[1:2]]).with_columns(_weight=pl.Series([0.5, 2.0, 1.0, 2.0]))
    examples, cut = TASK.encode(rows, learner)
    assert [(e.row, e.weight) for e in examples] == [(4, 0.5), (7, 2.0), (9, 1.0), (7, 2.0)]
    assert cut.keys() == {7}


def test_the_head_has_an_output_for_each_label_and_the_same_start_every_time(
    build: Callable[..., Learner],
) -> None:
    first, second = (build(TASK, "bert", labels=LABELS).module.state_dict() for _ in range(2))
    assert first["head.weight"].shape == (3, 32)
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("architecture", ["bert", "llama", "transformer_encoder", "transformer_decoder"])
def test_what_is_saved_answers_as_what_was_trained(
    build: Callable[..., Learner],
    give_values: Callable[..., None],
    tmp_path: Path,
    architecture: str,
    method: str,
) -> None:
    begun, folder = tmp_path / "begun", tmp_path / "trained"
    begun.mkdir()
    folder.mkdir()
    TASK.save(build(TASK, architecture, labels=LABELS), begun)
    source = Resolved(name="begun", folder=begun)
    start = Start(source=source, texts=(), labels=LABELS, seed=1, context=64)
    learner = TASK.build(start, lambda own, tokens: own)
    (full if method == "full" else lora)(learner.backbone)
    give_values(learner.module)
    expected = TASK.measure(learner, TASK.encode(ROWS, learner)[0])["probabilities"]
    TASK.save(learner, folder)
    model = loading.load(Resolved(name="own", folder=folder))
    assert isinstance(model, TextClassifier)
    assert model.labels == LABELS
    np.testing.assert_allclose(model.predict(ROWS["text"].to_list()), expected, atol=1e-4)
    assert len(list(folder.glob("*.safetensors"))) == 2
