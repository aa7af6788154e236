"""Preferences: the answers are compared, the prompt is only read, and what is saved is a chat model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tunesmith.models import loading
from tunesmith.models.backbone import Generic
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import Resolved
from tunesmith.tasks import pairs
from tunesmith.tasks.prefer import Prefer
from tunesmith.tasks.task import Learner
from tunesmith.train.preferences import dpo

TASK = Prefer()


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


ROWS = pl.DataFrame(
    {
        "_row": [4, 7],
        "prompt": [
            [said("user", "Hi"), said("assistant", "Hello"), said("user", "Where is it?")],
            [said("user", "怎么多扣了我一笔钱？")],
        ],
        "chosen": [[said("assistant", "It is late.")], [said("assistant", "已经退款。")]],
        "rejected": [[said("assistant", "What?")], [said("assistant", "不知道" * 40)]],
        "tools": [None, None],
    }
)


@pytest.fixture
def learner(build: Callable[..., Learner]) -> Learner:
    made = build(TASK, "llama", context=64)
    made.module.eval()
    return made


def test_only_the_answers_after_the_prompt_are_learned(learner: Learner) -> None:
    examples, cut = TASK.encode(ROWS, learner)
    assert [example.row for example in examples] == [4, 7]
    sides = [half for example in examples for half in pairs.halves(example)]
    stop = learner.contract.stop[0] if learner.contract else ""
    learned = [learner.tokenizer.decode(s.ids[s.target], skip_special_tokens=False) for s in sides]
    assert learned[:3] == [f"It is late.{stop}", f"What?{stop}", f"已经退款。{stop}"]
    assert len(sides[3].ids) == 64
    assert list(cut) == [7]


def test_the_log_probability_of_an_answer_is_the_sum_of_its_tokens(learner: Learner) -> None:
    examples, _ = TASK.encode(ROWS, learner)
    found = TASK.reference(learner, examples)
    for example, row in zip(examples, found, strict=True):
        for half, value in zip(pairs.halves(example), row, strict=True):
            ids = torch.from_numpy(half.ids.astype(np.int64))
            with torch.inference_mode():
                logs = learner.module(input_ids=ids[None]).logits[0].log_softmax(-1)
            each = logs[:-1].gather(1, ids[1:, None])[:, 0]
            assert value == pytest.approx(float(each[torch.from_numpy(half.target[1:])].sum()), rel=1e-4)


def test_the_loss_does_not_depend_on_what_stands_beside_a_row(learner: Learner) -> None:
    examples, _ = TASK.encode(ROWS, learner)
    backbone = Generic(learner.backbone, speaks=True)
    with torch.no_grad():
        together = TASK.objective(learner, backbone, examples, dpo)
        alone = [TASK.objective(learner, backbone, [example], dpo) for example in examples]
    assert float(together) == pytest.approx(float(sum(alone)), rel=1e-5)


def test_training_rewards_the_better_answer_and_saves_a_chat_model(learner: Learner, tmp_path: Path) -> None:
    encoded, _ = TASK.encode(ROWS, learner)
    reference = TASK.reference(learner, encoded).tolist()
    examples = [replace(one, reference=tuple(known)) for one, known in zip(encoded, reference, strict=True)]
    start = TASK.measure(learner, examples)
    np.testing.assert_allclose(start["rewards"], 0, atol=1e-4)
    optimizer = torch.optim.AdamW(learner.module.parameters(), lr=3e-3)
    for _ in range(10):
        loss = TASK.objective(learner, Generic(learner.backbone, speaks=True), examples, dpo)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    rewards = TASK.measure(learner, examples)["rewards"]
    assert (rewards[:, 0] > rewards[:, 1] + 1).all()
    (tmp_path / "saved").mkdir()
    TASK.save(learner, tmp_path / "saved")
    model = loading.load(Resolved(name="saved", folder=tmp_path / "saved"))
    assert isinstance(model, LanguageModel)
    assert model.task == "chat"
    assert model.contract.template == learner.contract.template if learner.contract else False


def test_an_answer_that_was_judged_alone_is_half_of_a_pair(learner: Learner) -> None:
    rows = ROWS.with_columns(chosen=pl.Series([ROWS["chosen"][0].to_list(), []], dtype=ROWS.schema["chosen"]))
    examples, _ = TASK.encode(rows, learner)
    assert [example.targets for example in examples] == [1, 1]
    assert TASK.measure(learner, examples)["tokens"][1, 0] == 0
    assert TASK.reference(learner, examples)[1, 0] == 0


def test_the_drift_is_how_much_likelier_answers_to_other_prompts_became(learner: Learner) -> None:
    first, second = TASK.encode(ROWS, learner)[0]
    beside = [replace(first, other=second), replace(second, other=first)]
    prompt = learner.tokenizer.decode(first.ids[: int(first.target.argmax())], skip_special_tokens=False)  # type: ignore[union-attr]
    mixed = pairs.unrelated(beside[0], 64)
    text = learner.tokenizer.decode(mixed.ids, skip_special_tokens=False)
    assert text.startswith(prompt)
    assert "已经退" in text
    reference = TASK.reference(learner, beside, drift=True)
    assert reference.shape == (2, 3)
    backbone = Generic(learner.backbone, speaks=True)

    def drift(by: float) -> float:
        known = [
            replace(one, reference=(a, b, c - by)) for one, (a, b, c) in zip(beside, reference, strict=True)
        ]
        with torch.no_grad():
            return float(TASK.drift(learner, backbone, known).mean())

    assert drift(0.75) == pytest.approx(0.75, abs=1e-3)
    assert drift(-0.75) == pytest.approx(-0.75, abs=1e-3)
