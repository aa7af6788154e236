"""Components of the user's own: found beside the recipe or by path, part of what a training depends on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tunesmith.core import recipe_file
from tunesmith.core.errors import RecipeError
from tunesmith.core.workspace import Workspace
from tunesmith.workflow import locking, plan, sample

CODE = """\
from torch.optim import SGD

def focal2(logits, target, *, gamma: float = 2.0):
    likelihood = logits.log_softmax(-1).gather(-1, target[:, None])[:, 0]
    return -((1 - likelihood.exp()) ** gamma) * likelihood

def plain(parameters, *, lr: float = 0.1):
    return SGD(parameters, lr=lr)

def half(progress):
    return 0.5

def lower(frame):
    return frame

def errors(outcome):
    return float((outcome.predicted != outcome.targets).mean())
"""
RECIPE = """\
task: classify
model: {architecture: bert, hidden: 16, layers: 1, heads: 1, vocab: 400, context: 32}
data:
  source: messages.csv
  fields: {text: message, label: topic}
  clean: [drop_unlabelled, "beside_it:lower"]
train:
  loss: {name: "code/elsewhere.py:focal2", gamma: 1.5}
  optimizer: {name: "beside_it:plain", lr: 0.2}
  schedule: "beside_it:half"
  metric: "beside_it:errors"
eval:
  metrics: ["beside_it:errors"]
  gate: {"beside_it:errors": {at_most: 1}}
"""
MODULES = ("beside_it", "elsewhere")


def forget() -> None:
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def recipe(tmp_path: Path) -> Iterator[Path]:
    sample.write(tmp_path / "messages.csv", language="en")
    (tmp_path / "code").mkdir()
    (tmp_path / "beside_it.py").write_text(CODE, "utf-8")
    (tmp_path / "code" / "elsewhere.py").write_text(CODE, "utf-8")
    (tmp_path / "own.yaml").write_text(RECIPE, "utf-8")
    yield tmp_path / "own.yaml"
    forget()


def planned(recipe: Path) -> plan.Plan:
    forget()
    return plan.make(recipe, Workspace(recipe.parent / ".tunesmith"))


def test_they_are_found_without_an_option_and_their_settings_are_checked(recipe: Path) -> None:
    train = planned(recipe).recipe.train
    assert (train.loss.name, train.loss.settings) == ("elsewhere:focal2", {"gamma": 1.5})
    assert (train.optimizer.settings, train.schedule.name) == ({"lr": 0.2}, "beside_it:half")
    document = recipe_file.parse(recipe, ["train.loss.gama=1"])
    assert [problem.code for problem in recipe_file.validate(document)[1]] == ["R03"]


@pytest.mark.parametrize("file", ["beside_it.py", "code/elsewhere.py"])
def test_a_changed_file_trains_again(recipe: Path, file: str) -> None:
    before = planned(recipe).candidates[0].key
    assert planned(recipe).candidates[0].key == before
    (recipe.parent / file).write_text(CODE.replace("0.5", "0.25"), "utf-8")
    assert planned(recipe).candidates[0].key != before


def test_the_lock_of_a_run_means_the_same_from_any_folder(
    recipe: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = planned(recipe)
    lock = tmp_path_factory.mktemp("lock") / "recipe.lock.yaml"
    recipe_file.write(locking.locked(made), lock)
    forget()
    monkeypatch.chdir(lock.parent)
    again = plan.make(lock, made.workspace)
    assert again.candidates[0].key == made.candidates[0].key
    assert again.recipe.eval == made.recipe.eval


def test_a_file_that_is_not_there_is_told(recipe: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        recipe_file.load(recipe, ["train.loss.name=code/nothing.py:focal2"])
    assert caught.value.problems[0].code == "R07"
