"""Hidden tokens: in pieces, drawn anew in training, learned by adapters too, saved as one model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from transformers import AutoModelForMaskedLM

from tunesmith.core.errors import ModelError
from tunesmith.core.events import Saved, Stopped
from tunesmith.core.recipe import Train
from tunesmith.models import loading
from tunesmith.models.filler import TextFiller
from tunesmith.models.resolve import Resolved
from tunesmith.tasks.mask import Mask
from tunesmith.tasks.task import Learner, Start
from tunesmith.train import methods
from tunesmith.train.loop import Readers, train
from tunesmith.train.stepper import Stepper

TASK = Mask()


@pytest.fixture(scope="module")
def lines(shared_data: Path) -> pl.DataFrame:
    """Forty lines of a book, and one that is longer than the context."""
    text = (shared_data / "text_alice" / "11-0.txt").read_text("utf-8-sig")
    found = [line for line in text.splitlines() if len(line) > 60][:40]
    return pl.DataFrame({"_row": range(41), "text": [*found, " ".join(found[:10])]})


def test_long_texts_are_hidden_in_pieces_between_their_frame(
    build: Callable[..., Learner], lines: pl.DataFrame
) -> None:
    learner = build(TASK, "bert", context=32)
    examples, cut = TASK.encode(lines, learner)
    assert not cut
    pieces = [example.ids for example in examples if example.row == 40]
    whole = learner.tokenizer.encode(lines["text"][40]).ids
    assert np.concatenate([piece[1:-1] for piece in pieces]).tolist() == whole[1:-1]
    assert all(len(piece) <= 32 and piece[0] == whole[0] and piece[-1] == whole[-1] for piece in pieces)
    assert TASK.encode(pl.DataFrame({"_row": [0], "text": [""]}), learner) == ([], {})


def test_a_step_hides_the_same_whenever_it_is_made_and_other_tokens_than_the_next(
    build: Callable[..., Learner], lines: pl.DataFrame
) -> None:
    learner = build(TASK, "bert")
    stepper = Stepper(learner, TASK, TASK.encode(lines, learner)[0], Train(precision="float32"), seed=3)
    assert not stepper.warnings  # the fast backbone computes what the model's own code does
    once, again, later = (stepper._example(step, 5).target for step in (7, 7, 8))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, later)


def test_a_training_that_was_cut_off_ends_with_the_same_weights(
    build: Callable[..., Learner], lines: pl.DataFrame, tmp_path: Path
) -> None:
    def trained(folder: Path, stops: list[bool]) -> Learner:
        learner = build(TASK, "modernbert", context=32)
        given: Any = {"settings": Train(epochs=1, batch_size=8, precision="float32"), "seed": 3}
        readers = Readers(evaluate=dict, stop=lambda: bool(stops) and stops.pop())
        events = list(
            train(learner, TASK, TASK.encode(lines, learner)[0], folder=folder, readers=readers, **given)
        )
        if isinstance(events[-1], Stopped):
            assert any(isinstance(event, Saved) for event in events)
            return trained(folder, [])
        return learner

    whole, cut = trained(tmp_path / "whole", []), trained(tmp_path / "cut", [True, False, False])
    for one, other in zip(whole.module.parameters(), cut.module.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("method", ["full", "lora", "ia3"])
def test_what_is_saved_is_a_masked_model_of_transformers(
    build: Callable[..., Learner], lines: pl.DataFrame, give_values: Any, tmp_path: Path, method: str
) -> None:
    learner = build(TASK, "bert")
    getattr(methods, method)(learner.backbone)
    give_values(learner.module)
    learner.module.eval()
    ids = torch.tensor([[1, 7, 9, 2]])
    expected = learner.module(input_ids=ids).logits.detach()
    examples = TASK.encode(lines, learner)[0]
    measured = TASK.measure(learner, examples)
    TASK.save(learner, tmp_path)
    kept, said = AutoModelForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not said["missing_keys"]
    torch.testing.assert_close(kept.eval()(input_ids=ids).logits, expected, rtol=1e-4, atol=1e-4)
    model = loading.load(Resolved(name="m", folder=tmp_path))
    assert isinstance(model, TextFiller)
    (guesses,) = model.fill("The [MASK] is <mask>.", top=2)
    assert [len(of_mask) for of_mask in guesses] == [2, 2]
    assert guesses[0][0].probability >= guesses[0][1].probability
    assert (
        model.filled("The [MASK] is late.")
        == f"The {model.fill('The <mask> is late.')[0][0][0].text} is late."
    )
    # Another training begins with the head that was learned.
    start = Start(source=Resolved(name="m", folder=tmp_path), texts=(), labels=(), seed=9, context=None)
    again = TASK.build(start, lambda own, tokens: own)
    found = TASK.measure(again, TASK.encode(lines, again)[0])
    assert found["nll"] == pytest.approx(measured["nll"], rel=1e-4)
    assert found["tokens"].tolist() == [example.targets for example in examples]


def test_a_tuned_prompt_is_refused(build: Callable[..., Learner], lines: pl.DataFrame) -> None:
    learner = build(TASK, "bert")
    methods.prompt_tuning(learner.backbone, length=4)
    with pytest.raises(ModelError, match="M57"):
        TASK.encode(lines, learner)
