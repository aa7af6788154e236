"""Frozen parameters keep their values, and lower layers learn more slowly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tunesmith.core.errors import RecipeError
from tunesmith.core.recipe import Train
from tunesmith.train.freezing import freeze
from tunesmith.train.methods import head, last_layers
from tunesmith.train.named import layer
from tunesmith.train.stepper import Stepper

State = Callable[[Any], dict[str, torch.Tensor]]


def changed(work: Any, folder: Path, learner: Any, state: State) -> set[str]:
    """The names of the parameters that a training changes."""
    before = state(learner)
    list(work.train(folder, learner, epochs=1))
    named = dict(learner.module.named_parameters())
    return {name for name in named if not torch.equal(before[name], named[name])}


def test_what_matches_keeps_its_value_and_the_rest_learns(
    any_work: Any, tmp_path: Path, state: State
) -> None:
    learner = any_work.build()
    freeze(learner.module, ["*embed*", "*layer*.0.*"])
    learned = changed(any_work, tmp_path, learner, state)
    assert learned
    assert not any("embed" in name or layer(name) == 0 for name in learned)
    assert any(layer(name) == 1 for name in learned)


def test_a_pattern_that_matches_nothing_is_an_error_with_the_likest_name(classify: Any) -> None:
    with pytest.raises(RecipeError) as caught:
        freeze(classify.build().module, ["head.wieght"])
    problem = caught.value.problems[0]
    assert (problem.code, problem.values["close"]) == ("T40", "head.weight")


def test_something_must_learn(classify: Any) -> None:
    with pytest.raises(RecipeError) as caught:
        freeze(classify.build().module, ["*"])
    assert caught.value.problems[0].code == "T41"


def test_of_a_classifier_only_the_head_learns(classify: Any, tmp_path: Path, state: State) -> None:
    learner = classify.build()
    head(learner.backbone)
    assert changed(classify, tmp_path, learner, state) == {"head.weight", "head.bias"}


def test_of_a_language_model_the_output_head_learns(chat: Any, tmp_path: Path, state: State) -> None:
    learner = chat.build()
    head(learner.backbone)
    learned = changed(chat, tmp_path, learner, state)
    assert len(learned) == 1
    assert learner.backbone.get_output_embeddings().weight is learner.module.get_parameter(*learned)


def test_the_last_layers_learn_with_what_comes_after_them(
    any_work: Any, tmp_path: Path, state: State
) -> None:
    learner = any_work.build()
    last_layers(learner.backbone, layers=1)
    learned = changed(any_work, tmp_path, learner, state)
    assert {layer(name) for name in learned} == {1, None}
    assert not any("embed" in name for name in learned)


def test_a_layer_below_learns_by_a_part_of_the_rate_of_the_one_above(classify: Any) -> None:
    settings = Train(layer_decay=0.5, optimizer={"name": "adamw", "lr": 0.08}, precision="float32")  # type: ignore[arg-type]
    learner = classify.build()
    stepper = Stepper(learner, classify.task, classify.examples, settings, 0)
    names = {id(p): name for name, p in learner.module.named_parameters()}
    rates = {names[id(p)]: group["lr"] for group in stepper.optimizer.param_groups for p in group["params"]}
    assert rates.keys() == dict(learner.module.named_parameters()).keys()
    assert rates["head.weight"] == pytest.approx(0.08)
    assert {rate for name, rate in rates.items() if layer(name) == 1} == {0.04}
    assert {rate for name, rate in rates.items() if layer(name) == 0} == {0.02}
    assert {rate for name, rate in rates.items() if "embeddings" in name} == {0.01}
    assert stepper.step(2).learning_rate > 0.04
