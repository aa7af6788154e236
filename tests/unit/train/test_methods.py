"""Every way of choosing what learns: something learns, the model itself stays, and a stop changes nothing."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from tunesmith.core import components
from tunesmith.core.events import Step
from tunesmith.tasks.task import Learner

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
METHODS = [name for name in components.methods.names() if name != "full"]
SETTINGS: dict[str, Any] = {"prompt_tuning": {"length": 4}}


def made(work: Any, method: str) -> Learner:
    learner: Learner = work.build()
    torch.manual_seed(0)
    components.methods.get(method)(learner.backbone, **SETTINGS.get(method, {}))
    return learner


def values(learner: Learner, *, learning: bool) -> dict[str, torch.Tensor]:
    return {
        name: parameter.detach().clone()
        for name, parameter in learner.module.named_parameters()
        if parameter.requires_grad is learning
    }


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("task", ["chat", "classify"])
@pytest.mark.parametrize("method", METHODS)
def test_it_learns_leaves_the_model_alone_and_continues_after_a_stop(
    method: str, task: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    work = request.getfixturevalue(task)
    whole, cut, rest = (made(work, method) for _ in range(3))
    before, frozen = values(whole, learning=True), values(whole, learning=False)
    losses = [e.loss for e in work.train(tmp_path / "whole", whole) if isinstance(e, Step)]
    assert not equal(values(whole, learning=True), before)
    assert equal(values(whole, learning=False), frozen)
    assert all(loss == loss for loss in losses)
    asked = count(1)
    list(work.train(tmp_path / "cut", cut, stop=lambda: next(asked) == 2))
    list(work.train(tmp_path / "cut", rest))
    assert equal(values(rest, learning=True), values(whole, learning=True))
