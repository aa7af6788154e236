"""Trackers are told what the events say, each by the calls that its library documents."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import pytest

from tunesmith.core.errors import MissingError
from tunesmith.core.events import Evaluated, Event, StageFinished, StageStarted, Step
from tunesmith.train import logs
from tunesmith.train.logs.follow import numbers

STEP = Step(
    step=3, steps=9, epoch=0.5, loss=1.5, learning_rate=1e-3, grad_norm=0.7, tokens=600, seconds=2.0,
    memory=10**9,
)  # fmt: skip
STORY: list[Event] = [
    StageStarted(stage="data"),
    StageFinished(stage="data", cached=True, seconds=0.1),
    StageStarted(stage="train", detail="bert"),
    STEP,
    Evaluated(step=3, scores={"macro_f1": 0.8}),
    StageFinished(stage="train", cached=False, seconds=9.0),
    StageStarted(stage="eval"),
]


def follow(name: str, folder: Path) -> None:
    follower = logs.Follower([name], "router-01", folder)
    for event in STORY:
        follower.tell(event)
    follower.close()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    """A library of any of the names; what it was asked is what it was called with."""
    made = MagicMock(spec=ModuleType)
    for name in ("mlflow", "wandb", "trackio"):
        monkeypatch.setitem(sys.modules, name, made)
        monkeypatch.delitem(sys.modules, f"tunesmith.train.logs.{name}", raising=False)
    made.init = MagicMock()
    made.MlflowClient = MagicMock()
    made.set_experiment = MagicMock(return_value=SimpleNamespace(experiment_id="7"))
    return made


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_each_model_trained_is_a_run_with_its_numbers(fake: MagicMock, tmp_path: Path, name: str) -> None:
    follow(name, tmp_path)
    assert fake.init.call_args.kwargs["name"] == "router-01-bert"
    run = fake.init.return_value
    assert [call.kwargs["step"] for call in run.log.call_args_list] == [3, 3]
    assert run.log.call_args_list[0].args[0]["train/tokens_per_second"] == 300.0
    assert run.log.call_args_list[1].args[0] == {"validation/macro_f1": 0.8}
    run.finish.assert_called_once_with()


def test_mlflow_keeps_each_number_as_a_metric(fake: MagicMock, tmp_path: Path) -> None:
    follow("mlflow", tmp_path)
    client = fake.MlflowClient.return_value
    client.create_run.assert_called_once_with("7", run_name="router-01-bert")
    run = client.create_run.return_value.info.run_id
    client.log_metric.assert_any_call(run, "train/loss", 1.5, step=3)
    client.log_metric.assert_any_call(run, "validation/macro_f1", 0.8, step=3)
    client.set_terminated.assert_called_once_with(run)


def test_tensorboard_writes_files_that_it_can_read(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    follow("tensorboard", tmp_path)
    found = EventAccumulator(str(tmp_path / "tensorboard" / "router-01-bert"))
    found.Reload()
    (loss,) = found.Scalars("train/loss")
    assert (loss.step, loss.value) == (3, 1.5)
    assert found.Scalars("validation/macro_f1")[0].value == pytest.approx(0.8)


def test_what_has_no_numbers_says_none() -> None:
    assert numbers(StageStarted(stage="train", detail="bert")) == {}
    assert numbers(STEP)["train/memory_bytes"] == 1e9


def test_a_tracker_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tunesmith.train.logs.follow.find_spec", lambda name: None if name == "wandb" else name
    )
    logs.check(["mlflow"])
    with pytest.raises(MissingError) as caught:
        logs.check(["mlflow", "wandb"])
    assert (caught.value.problems[0].code, caught.value.exit_code) == ("T09", 5)
    assert "tunesmith[wandb]" in str(caught.value)
