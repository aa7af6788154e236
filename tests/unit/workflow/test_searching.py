"""A search: the best of its trials is the run's model, and neither a cut nor the test part changes it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core import recipe_file
from tunesmith.core.errors import RecipeError
from tunesmith.core.events import StageStarted, Step, TrialFinished, TrialStarted
from tunesmith.core.workspace import Workspace
from tunesmith.workflow import check, plan, run, sample
from tunesmith.workflow.plan import Plan

RECIPE = """\
task: classify
model: {architecture: bert, hidden: 16, layers: 1, heads: 1, vocab: 400, context: 32}
data:
  source: {train: train.csv, validation: validation.csv, test: test.csv}
  fields: {text: message, label: topic}
  clean: [normalise, drop_unlabelled]
  split: {overlap: drop}
train:
  epochs: 1
  batch_size: 8
  keep: best
  search:
    trials: 7
    prune: true
    space:
      optimizer.lr: {log: [1e-4, 3e-2]}
      epochs: {int: [1, 3]}
      schedule: {choice: [linear, {name: cosine, warmup: 0.1}]}
"""


def made(folder: Path, part: int = 0, *changes: str) -> Plan:
    """The recipe over some rows of the sample, with the test part of that number."""
    folder.mkdir(exist_ok=True)
    sample.write(folder / "all.csv", language="en")
    with (folder / "all.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    parts = {"train": rows[:40], "validation": rows[40:70], "test": rows[70 + 30 * part : 100 + 30 * part]}
    for name, some in parts.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *some])
    (folder / "search.yaml").write_text(RECIPE, "utf-8")
    return plan.make(folder / "search.yaml", Workspace(folder / "workspace"), changes)


def trials(of: Plan) -> list[tuple[Any, ...]]:
    found = [event for event in of.run.events.read() if isinstance(event, TrialFinished)]
    return [(one.values, one.state, one.figure, one.curve) for one in found]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    searched = made(tmp_path_factory.mktemp("whole"))
    list(run.events(searched))
    return searched


def test_the_best_trial_becomes_the_model_of_the_run(whole: Plan) -> None:
    result = whole.run.result()
    assert result is not None
    search = result["search"]
    assert [one["trial"] for one in search["trials"]] == [1, 2, 3, 4, 5, 6, 7]
    figures = [one["figure"] for one in search["trials"] if one["state"] == "complete"]
    best = search["trials"][search["best"] - 1]
    assert best["figure"] == max(figures)
    assert result["model"] == "bert-1x16"
    assert json.loads(whole.run.report.read_text("utf-8"))["search"] == search
    points = json.loads(whole.run.report.read_text("utf-8"))["validation"]
    assert max(point["scores"]["accuracy"] for point in points) == best["figure"]
    assert "trial" in whole.run.page.read_text("utf-8").lower()
    locked = recipe_file.load(whole.run.recipe)
    assert locked.train.search is None
    assert locked.train.epochs == best["values"]["epochs"]
    assert locked.train.optimizer.settings["lr"] == best["values"]["optimizer.lr"]


def test_the_written_recipe_runs_again_without_a_search(whole: Plan) -> None:
    again = plan.make(whole.run.recipe, whole.workspace)
    assert not [event for event in run.events(again) if isinstance(event, Step | TrialStarted)]
    first, second = whole.run.result(), again.run.result()
    assert first is not None
    assert second is not None
    assert second["scores"] == first["scores"]
    assert (second["search"], again.run.id == whole.run.id) == (None, False)


def test_neither_a_cut_nor_other_rows_to_test_on_change_what_is_tried(whole: Plan, tmp_path: Path) -> None:
    cut = made(tmp_path / "cut", part=1)
    seen = 0
    for event in run.events(cut):
        seen += isinstance(event, Step) and isinstance(event.step, int) and event.step > 2
        if seen > 4 and len(trials(cut)) == 2:
            break
    assert cut.run.status() == "interrupted"
    events = list(run.events(plan.resume(cut.run, cut.workspace)))
    begun = [event.trial for event in events if isinstance(event, TrialStarted)]
    assert begun == [3, 4, 5, 6, 7]
    assert trials(cut) == trials(whole)
    result = cut.run.result()
    assert result is not None
    assert len(result["search"]["trials"]) == 7


def problems(folder: Path, *changes: str) -> set[tuple[str, str | None]]:
    document = recipe_file.parse(folder / "search.yaml", changes)
    return {(one.code, one.field) for one in check.find(document, Workspace(folder / "workspace"))[1]}


def test_mistakes_of_the_space_are_found_before_and_said_where_they_are(whole: Plan) -> None:
    at, folder = "train.search.space", whole.base
    assert problems(folder) == set()
    for change, code, place in (
        ("={optimizer.rate: {log: [1e-4, 1e-2]}}", "R03", "optimizer.rate"),
        ("={optimiser.lr: {log: [1e-4, 1e-2]}}", "R03", "optimiser.lr"),
        ("={epochs: {int: [0, 3]}}", "R05", "epochs"),
        ("={loss: {choice: [cross_entropy, dpo]}}", "T30", "loss"),
        ("={loss: {choice: [cross_entropi]}}", "R06", "loss"),
        ("={method: {choice: [full, lora]}}", "R15", "method"),
        ("={metric: {choice: [macro_f1]}}", "T15", "metric"),
        ("={epochs: {int: [3, 1]}}", "R05", "epochs"),
    ):
        assert problems(folder, at + change) == {(code, f"{at}.{place}")}, change
    assert problems(folder, "model=tfidf") == {("T16", "train.search")}
    assert ("R22", "train.search") in problems(
        folder, "data.source={train: train.csv}", "data.split.validation=0"
    )


def test_when_no_trial_comes_to_anything_it_says_so(whole: Plan, tmp_path: Path) -> None:
    vain = made(
        tmp_path / "vain", 0, "train.search.space={optimizer.lr: {choice: [1e30]}}", "train.search.trials=1"
    )
    with pytest.raises(RecipeError) as caught:
        list(run.events(vain))
    assert caught.value.problems[0].code == "T18"
    assert [event.detail for event in vain.run.events.read() if isinstance(event, StageStarted)][-1:] == [
        "bert-1x16#1"
    ]
