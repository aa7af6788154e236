"""Recipes that choose weights by a metric: what they need is told before, and what they keep is the best."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.core import recipe_file
from tunesmith.core.errors import RecipeError
from tunesmith.core.events import Evaluated
from tunesmith.core.workspace import Workspace
from tunesmith.workflow import check, plan, run, sample

RECIPE = """\
task: classify
model: {architecture: bert, hidden: 16, layers: 1, heads: 1, vocab: 400, context: 32}
data:
  source: messages.csv
  fields: {text: message, label: topic}
  clean: [normalise, drop_unlabelled, dedup]
train:
  epochs: 3
  optimizer: {name: adamw, lr: 3e-3}
  metric: accuracy
  keep: best
  early_stopping: {patience: 1}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    sample.write(tmp_path / "messages.csv", language="en")
    path = tmp_path / "messages.yaml"
    path.write_text(RECIPE, "utf-8")
    return path


def found(recipe: Path, *changes: str) -> set[tuple[str, str | None]]:
    document = recipe_file.parse(recipe, changes)
    problems = check.find(document, Workspace(recipe.parent / ".tunesmith"))[1]
    return {(problem.code, problem.field) for problem in problems}


def test_choosing_needs_a_validation_part(recipe: Path) -> None:
    assert found(recipe) == set()
    missing = found(recipe, "data.split.validation=0")
    assert missing == {("R22", "train.keep"), ("R22", "train.early_stopping")}


def test_a_metric_is_one_of_the_task(recipe: Path) -> None:
    assert found(recipe, "train.metric=bleu") == {("R16", "train.metric")}


@pytest.mark.faults
def test_the_saved_model_is_the_one_that_was_evaluated_best(recipe: Path) -> None:
    made = plan.make(recipe, Workspace(recipe.parent / ".tunesmith"))
    events = list(run.events(made))
    scores = [event.scores["accuracy"] for event in events if isinstance(event, Evaluated)]
    last = plan.make(recipe, made.workspace, ["train.keep=last"])
    list(run.events(last))
    same = (made.run.model / "model.safetensors").read_bytes() == (
        last.run.model / "model.safetensors"
    ).read_bytes()
    steps = [event.step for event in events if isinstance(event, Evaluated)]
    best = steps[scores.index(max(scores))]
    assert same == (best == steps[-1])
    result = made.run.result()
    assert result is not None
    assert result["weights"] == {"keep": "best", "step": best, "steps": steps[-1]}
    assert last.run.result()["weights"] == {"keep": "last", "step": 3 * steps[0], "steps": 3 * steps[0]}  # type: ignore[index]


def test_a_pattern_that_freezes_nothing_stops_the_run(recipe: Path) -> None:
    made = plan.make(recipe, Workspace(recipe.parent / ".tunesmith"), ["train.freeze=[nothing.*]"])
    with pytest.raises(RecipeError) as caught:
        list(run.events(made))
    assert caught.value.problems[0].code == "T40"
