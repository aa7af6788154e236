"""Two processes come to what one comes to; only the first writes; none waits for one that is gone."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tunesmith.core.events import Step
from tunesmith.train.loop import TrainingError
from tunesmith.train.losses import cross_entropy
from tunesmith.train.parallel import ALONE, Group, LeftError
from tunesmith.train.parallel.several import PeerLostError

# Small enough for several parts in each step, so that all processes have some and draw the same dropout.
TOKENS = 96


def trained(work: Any, folder: Path, group: Group = ALONE, **settings: Any) -> dict[str, Any]:
    """The losses, events and weights of a training."""
    learner = work.build()
    given = {"micro_batch_tokens": TOKENS, "group": group, **settings}
    events = list(work.train(folder, learner, **given))
    return {
        "losses": [event.loss for event in events if isinstance(event, Step)],
        "kinds": [type(event).__name__ for event in events],
        "weights": {name: value.numpy() for name, value in learner.module.state_dict().items()},
    }


def alike(found: dict[str, Any], expected: dict[str, Any]) -> None:
    np.testing.assert_allclose(found["losses"], expected["losses"], rtol=0, atol=1e-5)
    for name, value in expected["weights"].items():
        np.testing.assert_allclose(found["weights"][name], value, rtol=0, atol=1e-5, err_msg=name)


LOSSES = {"embed": {"loss": "multiple_negatives"}, "rated": {"loss": "kto"}}


@pytest.mark.parametrize("name", ["classify", "chat", "embed", "rated"])
def test_two_processes_learn_what_one_learns(
    name: str, request: pytest.FixtureRequest, together: Any, tmp_path: Path
) -> None:
    work = request.getfixturevalue(name)
    loss = LOSSES.get(name, {})
    alone = trained(work, tmp_path / "alone", **loss)
    for found in together(lambda group: trained(work, tmp_path / "both", group, **loss)):
        assert found["kinds"] == alone["kinds"]
        alike(found, alone)


def test_a_step_of_one_part_is_cut_for_two_and_its_loss_is_the_same(
    chat: Any, together: Any, tmp_path: Path
) -> None:
    whole = {"micro_batch_tokens": 1_000_000}
    alone = trained(chat, tmp_path / "alone", **whole)
    for found in together(lambda group: trained(chat, tmp_path / "both", group, **whole)):
        alike(found, alone)


def after(steps: int) -> Callable[[], bool]:
    """A wish to stop after so many steps."""
    asked = count(1)
    return lambda: next(asked) >= steps


def test_what_two_began_one_continues_and_the_other_way_round(
    classify: Any, together: Any, tmp_path: Path
) -> None:
    never_stopped = trained(classify, tmp_path / "alone")
    together(lambda group: trained(classify, tmp_path / "two", group, stop=after(3)))
    found = trained(classify, tmp_path / "two")
    assert "Resumed" in found["kinds"]
    alike({**found, "losses": never_stopped["losses"]}, never_stopped)
    trained(classify, tmp_path / "one", stop=after(3))
    for found in together(lambda group: trained(classify, tmp_path / "one", group)):
        assert "Resumed" in found["kinds"]
        alike({**found, "losses": never_stopped["losses"]}, never_stopped)


def test_only_the_first_writes_and_a_wish_of_any_stops_all(
    classify: Any, together: Any, tmp_path: Path
) -> None:
    def act(group: Group) -> dict[str, Any]:
        stop = after(2 if group.rank == 1 else 1000)
        return trained(classify, tmp_path / str(group.rank), group, stop=stop)

    for found in together(act):
        assert len(found["losses"]) == 2
        assert found["kinds"][-2:] == ["Saved", "Stopped"]
    assert [path.name for path in (tmp_path / "0").iterdir()] == ["step-00000002"]
    assert not (tmp_path / "1").exists()


def broken(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """A loss that fails on one label."""
    return cross_entropy(logits, target) * torch.where(target == 0, float("nan"), 1.0)


def test_all_pass_over_a_bad_step_that_one_met(classify: Any, together: Any, tmp_path: Path) -> None:
    settings = {"loss": f"{__name__}:broken", "batch_size": 4, "on_bad_step": "skip"}

    def act(group: Group) -> Any:
        try:
            return trained(classify, tmp_path / "both", group, **settings)["kinds"]
        except TrainingError as error:
            return [error.problems[0].code, error.problems[0].values["step"]]

    first, second = together(act)
    assert first == second
    assert "Skipped" in first or first[0] == "T04"


def test_what_the_first_says_all_hear(together: Any) -> None:
    said = together(lambda group: group.first(lambda: {"rank": group.rank, "loss": float("inf"), "名": "字"}))
    assert said == [{"rank": 0, "loss": float("inf"), "名": "字"}] * 2


def test_a_failure_of_the_first_frees_the_others(together: Any) -> None:
    def fail() -> None:
        raise KeyError("x")

    for ask in ("first", "in_turn"):
        first, second = together(lambda group, ask=ask: getattr(group, ask)(fail))
        assert isinstance(first, KeyError)
        assert isinstance(second, LeftError)


def test_the_others_act_after_the_first(together: Any, tmp_path: Path) -> None:
    def act() -> int:
        (tmp_path / f"made-{len(list(tmp_path.glob('made-*')))}").touch()
        return len(list(tmp_path.glob("made-*")))

    assert together(lambda group: group.in_turn(act)) == [1, 2]


def test_a_parameter_without_gradient_anywhere_keeps_none(together: Any) -> None:
    def act(group: Group) -> Any:
        used, once, never = (nn.Parameter(torch.zeros(3)) for _ in range(3))
        used.grad = torch.full((3,), float(group.rank + 1))
        if group.rank == 1:
            once.grad = torch.ones(3)
        loss = group.add_up([used, once, never], 0.5)
        return loss, *(None if p.grad is None else p.grad.tolist() for p in (used, once, never))

    assert together(act) == [(1.0, [3.0] * 3, [1.0] * 3, None)] * 2


def test_a_process_that_dies_is_noticed(together: Any) -> None:
    def act(group: Group) -> Any:
        if group.rank == 1:
            os._exit(1)
        group.any(True)

    first = together(act)[0]
    assert isinstance(first, PeerLostError)
    assert first.problems[0].code == "T52"


def test_all_stop_early_together_and_the_first_has_the_best_weights(
    classify: Any, together: Any, tmp_path: Path
) -> None:
    settings = {"keep": "best", "early_stopping": {"patience": 1}, "epochs": 4}
    alone = trained(classify, tmp_path / "alone", **settings)
    first, second = together(lambda group: trained(classify, tmp_path / "both", group, **settings))
    assert first["kinds"] == second["kinds"] == alone["kinds"]
    assert len(alone["losses"]) < 4 * len(classify.examples) // 8
    alike(first, alone)
