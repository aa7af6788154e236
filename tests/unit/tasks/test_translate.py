"""Translation: both sides are read, one is learned, and what is saved writes as what was trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import torch
from transformers import BartConfig, BartForConditionalGeneration, T5Config, T5ForConditionalGeneration

from tunesmith.models import loading, tokenizer, translator
from tunesmith.models.backbone import Generic
from tunesmith.models.resolve import Resolved
from tunesmith.tasks.task import Learner, Start
from tunesmith.tasks.translate import Translate
from tunesmith.train.losses import cross_entropy

TASK = Translate()
ROWS = pl.DataFrame(
    {
        "_row": [3, 5, 8],
        "source": ["包裹晚了。", "怎么多扣了我一笔钱？", "多扣了钱" * 9],
        "target": ["The parcel is late.", "I was charged twice!", "Charged"],
    }
)


def test_what_is_learned_is_the_target_and_its_end(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "transformer", context=24)
    examples, cut = TASK.encode(ROWS, learner)
    assert [example.row for example in examples] == [3, 5, 8]
    tokens = learner.tokenizer
    for row, example in zip(ROWS.iter_rows(named=True), examples, strict=True):
        learned = example.ids[example.target].tolist()
        assert tokens.decode(learned, skip_special_tokens=False) == f"{row['target']}</s>"
        assert example.targets == len(learned)
    whole = f"<s>{ROWS['source'][0]}</s><s>{ROWS['target'][0]}</s>"
    assert tokens.decode(examples[0].ids.tolist(), skip_special_tokens=False) == whole
    assert cut == {8: len(tokens.encode(ROWS["source"][2]).ids) - 24}


def test_the_loss_does_not_depend_on_what_stands_beside_a_row(build: Callable[..., Learner]) -> None:
    learner = build(TASK, "transformer")
    learner.module.eval()
    examples, _ = TASK.encode(ROWS, learner)
    with torch.no_grad():
        together = TASK.objective(learner, Generic(learner.backbone, speaks=False), examples, cross_entropy)
        alone = [
            TASK.objective(learner, Generic(learner.backbone, speaks=False), [example], cross_entropy)
            for example in examples
        ]
    assert float(together) == pytest.approx(float(sum(alone)), rel=1e-5)


def _foreign(folder: Path, family: str, learner: Learner) -> None:
    """A random model of a family of `transformers` with the tokenizer of `learner`."""
    torch.manual_seed(0)
    size = {
        "vocab_size": 400,
        "d_model": 32,
        "pad_token_id": 0,
        "eos_token_id": 2,
        "decoder_start_token_id": 0,
    }
    if family == "t5":
        t5 = T5Config(**size, d_ff=64, d_kv=16, num_layers=1, num_heads=2)
        T5ForConditionalGeneration(t5).save_pretrained(folder)
    else:
        layers = {f"{side}_{what}": n for side in ("encoder", "decoder")
                  for what, n in (("layers", 1), ("ffn_dim", 64), ("attention_heads", 2))}  # fmt: skip
        bart = BartConfig(**size, **layers, bos_token_id=1, max_position_embeddings=64)
        BartForConditionalGeneration(bart).save_pretrained(folder)
    tokenizer.save(learner.tokenizer, folder, context=64, special={})


@pytest.mark.parametrize("family", ["transformer", "t5", "bart"])
def test_a_trained_model_translates_and_does_so_when_loaded(
    build: Callable[..., Learner], tmp_path: Path, family: str
) -> None:
    learner = build(TASK, "transformer")
    if family != "transformer":
        (tmp_path / "base").mkdir()
        _foreign(tmp_path / "base", family, learner)
        source = Resolved(name=family, folder=tmp_path / "base")
        start = Start(source=source, texts=(), labels=(), seed=1, context=64)
        learner = TASK.build(start, lambda own, tokens: own)
    rows = ROWS.head(2)
    examples, _ = TASK.encode(rows, learner)
    optimizer = torch.optim.AdamW(learner.module.parameters(), lr=1e-2)
    learner.module.eval()
    for _ in range(60):
        TASK.objective(learner, Generic(learner.backbone, speaks=False), examples, cross_entropy).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert TASK.measure(learner, examples)["texts"] == rows["target"].to_list()
    (tmp_path / "saved").mkdir()
    TASK.save(learner, tmp_path / "saved")
    model = loading.load(Resolved(name="saved", folder=tmp_path / "saved"))
    assert isinstance(model, translator.Translator)
    assert model.translate(rows["source"].to_list()) == rows["target"].to_list()
    assert model.translate(rows["source"][0]) == [rows["target"][0]]
