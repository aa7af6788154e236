"""The choice of a backbone: fast where it proves right, the model's own code where it does not."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tunesmith.models.backbone import Backbone, Generic
from tunesmith.train.backbones import choice
from tunesmith.train.backbones.bert import BertBackbone
from tunesmith.train.backbones.llama import LlamaBackbone
from tunesmith.train.losses import cross_entropy


def chosen(work: Any, precision: str = "float32") -> choice.Choice:
    learner = work.build()

    def objective(backbone: Backbone) -> torch.Tensor:
        found: torch.Tensor = work.task.objective(learner, backbone, work.examples[:3], cross_entropy)
        return found

    return choice.choose(learner, precision, objective)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_what_is_covered_is_fast(chat: Any, classify: Any, precision: str) -> None:
    assert isinstance(chosen(chat, precision).backbone, LlamaBackbone)
    found = chosen(classify, precision)
    assert isinstance(found.backbone, BertBackbone)
    assert found.warning is None


@pytest.mark.parametrize("kind", [LlamaBackbone])
def test_one_that_computes_something_else_is_not_taken_and_the_user_is_told(
    chat: Any, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    hidden = kind.hidden
    monkeypatch.setattr(kind, "hidden", lambda self, rows, at=None: hidden(self, rows, at) * 1.01)
    found = chosen(chat)
    assert isinstance(found.backbone, Generic)
    assert found.warning is not None
    assert found.warning.code == "T50"
    assert 1e-4 < found.warning.values["difference"] < 1


def test_a_loss_that_is_another_is_told_though_its_gradient_is_the_same(classify: Any) -> None:
    learner = classify.build()

    def objective(backbone: Backbone) -> torch.Tensor:
        found = classify.task.objective(learner, backbone, classify.examples[:3], cross_entropy)
        return found + 1 if isinstance(backbone, BertBackbone) else found

    warning = choice.choose(learner, "float32", objective).warning
    assert warning is not None
    assert 0.01 < warning.values["difference"] < 1


def test_a_gradient_that_is_no_number_is_told(classify: Any) -> None:
    learner = classify.build()

    def objective(backbone: Backbone) -> torch.Tensor:
        found = classify.task.objective(learner, backbone, classify.examples[:3], cross_entropy)
        return found + (found - found.detach()).abs().sqrt() if isinstance(backbone, BertBackbone) else found

    assert choice.choose(learner, "float32", objective).warning is not None


def test_comparing_leaves_no_gradient_and_no_other_random_numbers(classify: Any) -> None:
    learner = classify.build()
    learner.module.train()
    torch.manual_seed(0)
    state = torch.get_rng_state()

    def objective(backbone: Backbone) -> torch.Tensor:
        found: torch.Tensor = classify.task.objective(learner, backbone, classify.examples[:3], cross_entropy)
        return found

    choice.choose(learner, "float32", objective)
    assert torch.equal(torch.get_rng_state(), state)
    assert learner.module.training
    assert all(p.grad is None for p in learner.module.parameters())
