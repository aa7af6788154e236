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


def test_a_base_in_few_bits_teaches_nearly_the_same_and_continues_after_a_stop(
    chat: Any, tmp_path: Path
) -> None:
    def losses(folder: str, base: str, **settings: Any) -> tuple[list[float], Learner]:
        learner: Learner = chat.build()
        torch.manual_seed(0)
        components.methods.get("lora")(learner.backbone, rank=4, alpha=4.0, base=base)
        given = {"optimizer": {"name": "adamw", "lr": 2e-2}, "epochs": 8, **settings}
        events = chat.train(tmp_path / folder, learner, **given)
        return [e.loss for e in events if isinstance(e, Step)], learner

    wanted, _ = losses("float", "float32")
    found, whole = losses("whole", "int4")
    assert wanted[-1] < wanted[0] - 0.1
    assert found == pytest.approx(wanted, abs=0.05 * (wanted[0] - wanted[-1]))
    asked = count(1)
    losses("cut", "int4", stop=lambda: next(asked) == 5)
    rest = losses("cut", "int4")[1]
    assert equal(values(rest, learning=True), values(whole, learning=True))
