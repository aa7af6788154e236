"""What language tasks share: a decoder, the loss of learned tokens, and folders that answer as trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from tunesmith.core.errors import RecipeError
from tunesmith.models import loading
from tunesmith.models.backbone import Generic
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import Resolved
from tunesmith.tasks.chat import Chat
from tunesmith.tasks.generate import Generate
from tunesmith.tasks.task import Example, Learner, Start
from tunesmith.train.losses import cross_entropy
from tunesmith.train.methods import full, lora

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
TASK = Chat()
ROWS = pl.DataFrame(
    {
        "_row": [0, 1],
        "messages": [
            [
                {"role": "user", "content": "Tell me a story."},
                {"role": "assistant", "content": "Once upon a time."},
            ],
            [{"role": "user", "content": "And then?"}, {"role": "assistant", "content": "They were happy."}],
        ],
        "tools": [None, None],
    }
)


def backbone(learner: Learner) -> Generic:
    return Generic(learner.backbone, speaks=True)


def learner_of(stories: Resolved, context: int | None = None) -> Learner:
    return TASK.build(
        Start(source=stories, texts=(), labels=(), seed=0, context=context), lambda own, tokens: own
    )


def test_an_encoder_cannot_speak(build: Callable[..., Learner]) -> None:
    with pytest.raises(RecipeError) as caught:
        build(TASK, "bert")
    assert caught.value.problems[0].code == "R13"


def test_a_bare_encoder_on_disk_cannot_speak_either(shared_data: Path) -> None:
    folder = shared_data / "weights" / "bert-base-chinese-vocab"
    with pytest.raises(Exception, match="M09"):
        learner_of(Resolved(name="bert", folder=folder))


def test_the_loss_is_that_of_predicting_each_learned_token(stories: Resolved) -> None:
    learner = learner_of(stories)
    examples, _ = TASK.encode(ROWS, learner)
    expected = 0.0
    with torch.inference_mode():
        for example in examples:
            ids = torch.from_numpy(example.ids.astype(np.int64))
            scores = learner.module(input_ids=ids[None]).logits[0].log_softmax(-1)
            expected -= sum(float(scores[i - 1, ids[i]]) for i in np.flatnonzero(example.target) if i > 0)
        found = TASK.objective(learner, backbone(learner), examples, cross_entropy)
    assert float(found) == pytest.approx(expected, rel=1e-4)
    measured = TASK.measure(learner, examples)
    assert measured["nll"].sum() == pytest.approx(expected, rel=1e-4)
    assert measured["tokens"].tolist() == [example.targets for example in examples]


@pytest.mark.parametrize("architecture", ["llama", "transformer_decoder"])
@pytest.mark.parametrize("task", [Chat(), Generate()], ids=lambda task: task.name)
def test_a_decoder_from_nothing_answers_as_it_was_trained(
    build: Callable[..., Learner], task: Chat | Generate, architecture: str, tmp_path: Path
) -> None:
    learner = build(task, architecture)
    row = [5, 6, 7, 8]
    example = Example(0, np.asarray(row, dtype=np.int32), np.ones(4, dtype=np.bool_))
    ids = torch.tensor([row])
    learner.module.eval()
    task.save(learner, tmp_path)
    model = loading.load(Resolved(name="own", folder=tmp_path))
    assert isinstance(model, LanguageModel)
    with torch.inference_mode():
        logits = learner.module(input_ids=ids).logits
        loss = task.objective(learner, backbone(learner), [example], cross_entropy)
        assert torch.equal(model.module(input_ids=ids).logits, logits)
    picked = logits[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])
    torch.testing.assert_close(loss, -picked.sum())
    assert isinstance(model.chat("hi", max_new_tokens=3), str)


def test_what_is_not_learned_has_no_part_in_the_loss(stories: Resolved) -> None:
    learner = learner_of(stories)
    ids = np.array([1, 50, 60, 70, 80], dtype=np.int32)
    mask = np.array([0, 0, 1, 0, 0], dtype=np.bool_)
    other = ids.copy()
    other[3:] = 90
    with torch.inference_mode():
        losses = [
            TASK.objective(learner, backbone(learner), [Example(0, i, mask)], cross_entropy)
            for i in (ids, other)
        ]
    torch.testing.assert_close(*losses)


def test_rows_may_be_shorter_than_the_model_and_the_saved_model_is_not(
    stories: Resolved, tmp_path: Path
) -> None:
    learner = learner_of(stories, context=64)
    assert learner.card.context == 64
    TASK.save(learner, tmp_path)
    model = loading.load(Resolved(name="own", folder=tmp_path))
    assert isinstance(model, LanguageModel)
    assert model.context == 512


def test_the_context_is_never_more_than_the_model_takes(stories: Resolved) -> None:
    assert learner_of(stories, context=4096).card.context == 512


@pytest.mark.parametrize("method", [full, lora])
def test_what_is_saved_answers_as_what_was_trained(
    stories: Resolved, give_values: Callable[..., None], tmp_path: Path, method: Callable[..., None]
) -> None:
    learner = learner_of(stories)
    method(learner.backbone)
    if method is lora:
        give_values(learner.module)
    ids = torch.tensor([[1, 50, 60, 70]])
    TASK.save(learner, tmp_path)
    with torch.inference_mode():
        expected = learner.module.eval()(input_ids=ids).logits
        model = loading.load(Resolved(name="own", folder=tmp_path))
        assert isinstance(model, LanguageModel)
        torch.testing.assert_close(model.module(input_ids=ids).logits, expected, rtol=0, atol=1e-4)
        if method is lora:
            base = AutoModelForCausalLM.from_pretrained(stories.folder, dtype=torch.float32)
            theirs = PeftModel.from_pretrained(base, str(tmp_path)).eval()
            torch.testing.assert_close(theirs(input_ids=ids).logits, expected, rtol=0, atol=1e-4)
    assert model.contract == learner.contract
    assert model.task == "chat"
    assert (tmp_path / "adapter_model.safetensors").exists() == (method is lora)
    assert (tmp_path / "model.safetensors").exists() == (method is full)


def test_a_task_is_known_by_the_model_it_made(stories: Resolved, tmp_path: Path) -> None:
    task = Generate()
    learner = task.build(
        Start(source=stories, texts=(), labels=(), seed=0, context=None), lambda own, tokens: own
    )
    task.save(learner, tmp_path)
    model = loading.load(Resolved(name="own", folder=tmp_path))
    assert model.kind == "language"
    assert getattr(model, "task", None) == "generate"
