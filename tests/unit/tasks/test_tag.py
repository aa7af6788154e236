"""Token classification: what is learned of rows, and that a saved model finds the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tunesmith.core.errors import DataError
from tunesmith.data import shapes
from tunesmith.data.layouts import frames
from tunesmith.models import loading
from tunesmith.models.backbone import Generic
from tunesmith.models.resolve import Resolved
from tunesmith.models.tagger import TextTagger
from tunesmith.tasks import examples as stored
from tunesmith.tasks.tag import Tag
from tunesmith.tasks.task import Learner
from tunesmith.train import backbones
from tunesmith.train.backbones.bert import BertBackbone
from tunesmith.train.losses import cross_entropy

TASK = Tag()
LABELS = ("LOC", "PER")
TEXTS = ["Ada lives in Paris-Nord.", "我住在上海市，Bob 也是。", "Nobody 在家 😀"]
SPANS = [[(0, 3, "PER"), (13, 23, "LOC")], [(3, 6, "LOC"), (7, 10, "PER")], []]


def _rows() -> pl.DataFrame:
    spans = [[{"start": s, "end": e, "label": label} for s, e, label in row] for row in SPANS]
    frame = frames.build(shapes.TAGGED, list(zip(TEXTS, spans, [None] * 3, strict=True)), [None] * 3)
    return frame.with_columns(pl.Series("_row", [4, 7, 9]))


def test_the_first_token_of_every_unit_has_a_tag(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "bert", labels=LABELS)
    examples, cut = TASK.encode(_rows(), learner)
    assert cut == {}
    assert [example.row for example in examples] == [4, 7, 9]
    tags = [target[target >= 0].tolist() for target in (np.asarray(e.target) for e in examples)]
    assert tags[0] == [3, 0, 0, 1, 2, 2, 0]
    assert tags[1] == [0, 0, 0, 1, 2, 2, 0, 3, 0, 0, 0]
    assert [example.targets for example in examples] == [len(row) for row in tags]
    assert learner.tokenizer.decode(examples[0].ids[:2].tolist(), skip_special_tokens=False).startswith("<s>")


def test_a_long_text_is_learned_in_parts(build: Callable[..., Learner], tmp_path: Path) -> None:
    learner = build(TASK, "bert", labels=LABELS, context=16)
    examples, _ = TASK.encode(_rows(), learner)
    assert max(len(example.ids) for example in examples) <= 16
    tags = [np.asarray(e.target) for e in examples if e.row == 7]
    assert len(tags) > 1
    assert [int(tag) for part in tags for tag in part if tag >= 0] == [0, 0, 0, 1, 2, 2, 0, 3, 0, 0, 0]
    stored.write(tmp_path, [(examples[:1], {}), (examples[1:], {})], largest_id=999)
    kept = stored.Examples(tmp_path)
    assert [np.asarray(e.target).tolist() for e in kept] == [np.asarray(e.target).tolist() for e in examples]
    assert kept[0].learned.tolist() == (np.asarray(examples[0].target) > 0).tolist()


def test_rows_without_any_span_teach_nothing(build: Callable[..., Learner]) -> None:
    with pytest.raises(DataError, match="T20"):
        build(TASK, "bert")


def test_it_is_learned_in_fewer_bits_too(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "bert", labels=LABELS)
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


def _found(model: TextTagger) -> list[list[tuple[int, int, str]]]:
    return [[(one.start, one.end, one.label) for one in row] for row in model.tag(TEXTS)]


@pytest.mark.parametrize("context", [64, 16])
def test_a_trained_model_finds_entities_and_does_so_when_loaded(
    build: Callable[..., Learner], tmp_path: Path, context: int
) -> None:
    learner = build(TASK, "bert", labels=LABELS, context=context)
    _learn(learner)
    model = TASK.measure(learner, [])["model"]
    assert _found(model) == SPANS
    first = model.tag(TEXTS[0])[0][0]
    assert (first.text, first.label) == ("Ada", "PER")
    assert 0.5 < first.probability <= 1
    TASK.save(learner, tmp_path)
    loaded = loading.load(Resolved(name="saved", folder=tmp_path))
    assert isinstance(loaded, TextTagger)
    assert loaded.tag(TEXTS) == model.tag(TEXTS)
    assert loaded.tag(" ") == [[]]


def test_what_stands_beside_a_text_does_not_change_what_is_found(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "bert", labels=LABELS)
    _learn(learner)
    model = TASK.measure(learner, [])["model"]
    alone = [model.tag(text)[0] for text in TEXTS]
    assert _found(model) == [[(one.start, one.end, one.label) for one in row] for row in alone]
