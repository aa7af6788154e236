"""One text from another by a decoder: it is asked the source and answers the target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import torch

from tunesmith.models import loading
from tunesmith.models.backbone import Generic
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import Resolved
from tunesmith.tasks.paired import Paired
from tunesmith.tasks.summarise import Summarise
from tunesmith.tasks.task import Learner
from tunesmith.tasks.translate import Translate
from tunesmith.train.losses import cross_entropy

ROWS = pl.DataFrame(
    {
        "_row": [3, 5],
        "source": ["包裹晚了。", "怎么多扣了我一笔钱？"],
        "target": ["The parcel is late.", "I was charged twice!"],
    }
)


def trained(task: Paired, learner: Learner) -> Learner:
    examples, _ = task.encode(ROWS, learner)
    optimizer = torch.optim.AdamW(learner.module.parameters(), lr=1e-2)
    learner.module.eval()
    for _ in range(50):
        backbone = Generic(learner.backbone, speaks=learner.card.kind == "language")
        task.objective(learner, backbone, examples, cross_entropy).backward()
        optimizer.step()
        optimizer.zero_grad()
    return learner


def test_what_is_learned_is_the_target_and_its_end(build: Callable[..., Learner]) -> None:
    learner = build(Summarise(), "llama")
    assert (learner.card.kind, learner.card.task) == ("language", "summarise")
    examples, cut = Summarise().encode(ROWS, learner)
    tokens, stop = learner.tokenizer, learner.contract.stop[0] if learner.contract else ""
    for target, example in zip(ROWS["target"], examples, strict=True):
        learned = example.ids[example.target].tolist()
        assert tokens.decode(learned, skip_special_tokens=False) == target + stop
    assert cut == {}


@pytest.mark.parametrize("task", [Translate(), Summarise()], ids=lambda task: task.name)
def test_a_trained_decoder_writes_and_does_so_when_loaded(
    build: Callable[..., Learner], tmp_path: Path, task: Paired
) -> None:
    learner = trained(task, build(task, "llama"))
    examples, _ = task.encode(ROWS, learner)
    assert task.measure(learner, examples)["texts"] == ROWS["target"].to_list()
    task.save(learner, tmp_path)
    model = loading.load(Resolved(name="saved", folder=tmp_path))
    assert isinstance(model, LanguageModel)
    assert model.task == task.name
    assert [model.chat(source) for source in ROWS["source"]] == ROWS["target"].to_list()


def test_a_source_that_fills_the_context_is_followed_by_nothing(build: Callable[..., Learner]) -> None:
    learner = build(Summarise(), "llama", context=16)
    rows = ROWS.with_columns(source=pl.lit("怎么多扣了我一笔钱？" * 9))
    examples, cut = Summarise().encode(rows, learner)
    assert [example.targets for example in examples] == [0, 0]
    assert set(cut) == {3, 5}
    assert Summarise().measure(learner, examples)["texts"] == ["", ""]
