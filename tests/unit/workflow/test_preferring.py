"""Preferences from file to model: what the starting model says is asked once, and the margin rises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tunesmith
from tunesmith.core.errors import DataError, RecipeError
from tunesmith.core.events import Step

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture
def desk(chat: Any, shared_data: Path) -> Any:
    """Short pairs of answers for a small story teller."""
    found = json.loads((shared_data / "pref_llamafactory_demo" / "dpo_en_demo.json").read_text("utf-8"))
    rows = sorted(found, key=lambda row: len(json.dumps(row)))[:12]
    (chat.folder / "pairs.json").write_text(json.dumps(rows), "utf-8")
    chat.values["task"] = "prefer"
    chat.values["data"] = {"source": "pairs.json", "max_length": 256, "on_error": "drop"}
    chat.values["train"] |= {"epochs": 3, "optimizer": {"name": "adamw", "lr": 1e-3}}
    return chat


def references(desk: Any) -> list[str]:
    return sorted(path.name for path in desk.workspace.cache.glob("reference-*"))


def test_the_margin_rises_and_the_starting_model_is_asked_once(desk: Any) -> None:
    desk.values["publish"] = {"name": "preferred"}
    result = desk.run()
    assert desk.plan().recipe.train.loss.name == "dpo"
    assert set(result["scores"]) == {"reward_margin", "preference_accuracy"}
    assert result["baselines"]["start"] == {"reward_margin": 0.0, "preference_accuracy": 0.5}
    losses = [
        event.loss for event in desk.plan().run.events.training(result["model"]) if isinstance(event, Step)
    ]
    assert losses[0] == pytest.approx(0.6931, abs=1e-3)
    assert sum(losses[-4:]) < sum(losses[:4])
    asked = references(desk)
    assert len(asked) == 3
    desk.run("train.loss={name: ipo, beta: 0.5}", "train.epochs=1")
    assert references(desk) == asked
    # A tuned prompt says something else from the start.
    desk.run("train.method={name: prompt_tuning, length: 4}", "train.epochs=1")
    assert len(references(desk)) == 6
    model: Any = tunesmith.load("preferred", workspace=desk.workspace)
    assert model.chat("Hello", max_new_tokens=4)


@pytest.mark.faults
def test_an_adapter_learns_preferences_too(desk: Any) -> None:
    result = desk.run("train.method={name: lora, rank: 4}", "train.epochs=1")
    assert result["scores"]["reward_margin"] != 0
    assert (
        desk.plan("train.method={name: lora, rank: 4}", "train.epochs=1").run.model / "adapter_config.json"
    ).exists()


@pytest.mark.parametrize(("task", "loss"), [("prefer", "cross_entropy"), ("chat", "dpo")])
def test_a_loss_of_other_targets_is_refused(desk: Any, task: str, loss: str) -> None:
    desk.values["task"] = task
    with pytest.raises(RecipeError, match="T30"):
        desk.plan(f"train.loss={loss}")


@pytest.mark.faults
def test_answers_that_were_judged_one_by_one_are_learned_by_kto(desk: Any, shared_data: Path) -> None:
    found = json.loads((shared_data / "pref_llamafactory_demo" / "kto_en_demo.json").read_text("utf-8"))
    rows = sorted(found, key=lambda row: len(json.dumps(row)))[:16]
    assert {row["label"] for row in rows} == {True, False}
    (desk.folder / "pairs.json").write_text(json.dumps(rows), "utf-8")
    result = desk.run("train.loss=kto", "train.epochs=1")
    assert result["scores"]["reward_margin"] != 0
    with pytest.raises(DataError, match="T32"):
        desk.run("train.loss=dpo", "train.epochs=1")
