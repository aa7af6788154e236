"""A run: each stage once, nothing written for bad data, stopped and continued to the same bytes, gated."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from tunesmith.core import durable, text
from tunesmith.core.errors import (
    DataError,
    GateError,
    NotFoundError,
    RecipeError,
    StoppedError,
    TunesmithError,
)
from tunesmith.core.events import (
    Completed,
    Failed,
    Finished,
    Resumed,
    StageFinished,
    StageStarted,
    Step,
    Warned,
)
from tunesmith.core.store import Store
from tunesmith.models import loading
from tunesmith.models.resolve import Resolved
from tunesmith.train.losses import cross_entropy
from tunesmith.workflow import plan as planning
from tunesmith.workflow import run as running

Weights = Callable[[Path], dict[str, bytes]]
SHUT = "eval.gate={accuracy: {at_least: 1.01}}"


def stages(events: list[Any]) -> list[tuple[str, bool]]:
    return [(e.stage, e.cached) for e in events if isinstance(e, StageFinished)]


def files(folder: Path) -> dict[str, float]:
    return {str(path): path.stat().st_mtime for path in folder.rglob("*")}


def test_a_run_comes_to_a_result_with_everything_that_scripts_rely_on(desk: Any) -> None:
    result = desk.run()
    assert set(result) == {
        "run", "path", "status", "model", "release", "scores", "intervals", "baselines", "differences",
        "search", "weights", "diagnosis", "forgetting", "ablation", "augmented",
        "ledger", "gate", "rival", "seconds", "cpu_seconds", "peak_memory_bytes",
    }  # fmt: skip
    assert result["scores"]["accuracy"] > 0.6
    assert result["baselines"]["majority"]["accuracy"] < result["scores"]["accuracy"]
    ledger = result["ledger"]
    out = ledger["duplicate"] + sum(ledger["dropped"].values()) + sum(ledger["held_out"].values())
    assert ledger["read"] == 80 == ledger["used"] + out
    names = {path.name for path in Path(result["path"]).iterdir()}
    assert {
        "recipe.lock.yaml",
        "events.jsonl",
        "model",
        "ledger.parquet",
        "report.json",
        "report.html",
    } <= names
    assert "checkpoints" not in names
    assert json.loads(json.dumps(result)) == result


def test_what_was_guessed_about_a_file_is_told_with_its_name(desk: Any) -> None:
    table = desk.workspace.root.parent / "tickets.csv"
    header, *lines = table.read_text("utf-8").splitlines(keepends=True)
    assert header == "text,label\n"
    table.write_text("".join(lines), "utf-8")
    (warned,) = [event for event in desk.events() if isinstance(event, Warned)]
    assert str(table) in text.explain(warned.code, "en", warned.values)["message"]


def test_asking_again_does_nothing_and_says_the_same(bert: Any) -> None:
    result = bert.run()
    before = files(bert.workspace.root)
    assert bert.events() == []
    assert bert.run() == result
    assert files(bert.workspace.root) == before


def test_a_run_tells_its_story_and_its_model_can_be_used(bert: Any) -> None:
    events = bert.events()
    assert [e.stage for e in events if isinstance(e, StageStarted)] == ["data", "train", "eval"]
    assert isinstance(events[-1], Completed)
    plan = bert.plan()
    assert list(plan.run.events.read()) == events
    assert plan.run.status() == "finished"
    steps = [e for e in events if isinstance(e, Step)]
    assert len(steps) == steps[0].steps
    assert [e.step for e in events if isinstance(e, Finished)] == [len(steps)]
    model: Any = loading.load(Resolved(name="own", folder=plan.run.model))
    assert set(model.classify(["Where is my card?"])) <= set(model.labels)
    assert durable.is_valid(plan.run.model)


@pytest.mark.parametrize(
    ("override", "cached"),
    [
        ("train.epochs=1", [True, False, False]),
        ("eval.gate={accuracy: {at_least: 0.0}}", [True, True, False]),
        ("publish={name: router}", [True, True, True, False]),
        ("seed=1", [False, False, False]),
    ],
)
def test_a_changed_key_runs_again_what_depends_on_it(bert: Any, override: str, cached: list[bool]) -> None:
    bert.run()
    assert [was for _, was in stages(bert.events(override))] == cached


@pytest.mark.parametrize(("name", "method"), [("bert", "full"), ("chat", "full"), ("chat", "lora")])
def test_the_same_recipe_gives_the_same_bytes(
    request: pytest.FixtureRequest, weights: Weights, tmp_path: Path, name: str, method: str
) -> None:
    desk = request.getfixturevalue(name)
    few = ("train.epochs=1", f"train.method={method}")
    desk.run(*few)
    first = desk.plan(*few)
    torch.manual_seed(12345)
    torch.rand(7)
    other = planning.make(first.run.recipe, type(desk.workspace)(tmp_path / "another"))
    running.run(other)
    assert weights(other.run.model) == weights(first.run.model)
    assert len(weights(first.run.model)) == (2 if name == "bert" else 1)


def test_the_seed_decides_where_an_adapter_begins(chat: Any, weights: Weights) -> None:
    few = ("train.epochs=0.2", "train.method=lora")
    chat.run(*few)
    chat.run(*few, "seed=1")
    assert weights(chat.plan(*few).run.model) != weights(chat.plan(*few, "seed=1").run.model)


def _single(folder: Path) -> None:
    (folder / "tickets.csv").write_text(
        "text,label\n" + "".join(f"row {i},one\n" for i in range(20)), "utf-8"
    )


def _unlabelled(folder: Path) -> None:
    text = (folder / "tickets.csv").read_text("utf-8")
    (folder / "tickets.csv").write_text(text + "no label here,\n", "utf-8")


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "a missing file": (lambda folder: (folder / "tickets.csv").unlink(), "D01"),
    "an empty file": (lambda folder: (folder / "tickets.csv").write_bytes(b""), "D"),
    "no rows": (lambda folder: (folder / "tickets.csv").write_text("text,label\n", "utf-8"), "D"),
    "other columns": (
        lambda folder: (folder / "tickets.csv").write_text("a,b,c\n1,2,3\n4,5,6\n", "utf-8"),
        "D",
    ),
    "a single class": (_single, "D09"),
    "a row without label": (_unlabelled, "D07"),
}


@pytest.mark.parametrize(("spoil", "code"), BAD.values(), ids=BAD)
def test_for_bad_data_there_is_an_error_with_its_place_and_nothing_is_written(
    bert: Any, spoil: Callable[[Path], object], code: str
) -> None:
    recipe = bert.recipe
    spoil(bert.folder)
    with pytest.raises((DataError, NotFoundError)) as caught:
        running.run(planning.make(recipe, bert.workspace))
    problem = caught.value.problems[0]
    assert problem.code.startswith(code)
    assert "tickets.csv" in str(problem.file)
    assert not bert.workspace.root.exists()
    assert caught.value.exit_code in (3, 4)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"model": "minilmm"}, "M01"),
        ({"task": "chat"}, "R13"),
        ({"eval": {"against": ["bert"]}}, "R06"),
        ({"eval": {"gate": {"perplexity": {"at_most": 3}}}}, "R11"),
        ({"model": {"architecture": "bert"}, "train": {"method": "lora"}}, "R15"),
        ({"model": {"architecture": "bert", "heads": 7}}, "M15"),
        ({"data": {"source": "tickets.csv", "fields": {"lable": "label"}}}, "R12"),
    ],
)
def test_for_a_recipe_that_cannot_be_done_nothing_is_written(
    desk: Any, changes: dict[str, Any], code: str
) -> None:
    desk.values |= changes
    with pytest.raises((RecipeError, NotFoundError)) as caught:
        desk.run()
    assert code in {problem.code for problem in caught.value.problems}
    assert not desk.workspace.root.exists()


def published(desk: Any) -> list[str]:
    if not desk.workspace.database.exists():
        return []
    store = Store(desk.workspace.database)
    found = [f"{release.label} {' '.join(release.aliases)}".strip() for release in store.releases()]
    store.close()
    return found


def test_a_model_that_passes_its_gate_is_published_under_its_alias_once(desk: Any) -> None:
    desk.values |= {"publish": {"name": "router", "alias": "production"}}
    result = desk.run(
        "eval.gate={accuracy: {at_least: 0.3, not_worse_than: majority}}",
        "eval.limits={size_mb: 50, latency_ms: 60000}",
    )
    assert result["gate"]["passed"]
    measured = {check["metric"]: check["value"] for check in result["gate"]["checks"]}
    assert 0 < measured["size_mb"] < 50
    assert 0 < measured["latency_ms"] < 60000
    assert result["release"] == "router@1"
    desk.run("eval.gate={accuracy: {at_least: 0.4}}")
    assert published(desk) == ["router@1 production"]
    store = Store(desk.workspace.database)
    release = store.release("router@production")
    store.close()
    assert durable.verify(Path(release.folder)) == release.digest
    assert set(release.lineage) == {"run", "data", "recipe", "report", "scores", "gate"}
    assert release.lineage["gate"]["rules"] == 1


def test_a_model_that_does_not_pass_is_kept_and_not_published(desk: Any) -> None:
    desk.values |= {"publish": {"name": "router"}}
    with pytest.raises(GateError) as caught:
        desk.run(SHUT)
    problem = caught.value.problems[0]
    assert (problem.code, caught.value.exit_code) == ("E10", 7)
    assert "accuracy" in problem.values["failed"]
    assert problem.as_dict("zh")["message"]
    assert published(desk) == []
    with pytest.raises(GateError):
        desk.run("eval.limits={size_mb: 0.001, data_warnings: 0}")
    with pytest.raises(GateError) as sliced:
        desk.run("eval.gate={accuracy: {slices: {'label=change_pin': 1.01, 'label=card_arrival': 0}}}")
    with pytest.raises(RecipeError) as unknown:
        desk.run("eval.gate={accuracy: {slices: {'channel=fax': 0.5}}}")
    assert unknown.value.problems[0].code == "C30"
    assert "label=change_pin" in sliced.value.problems[0].values["failed"]
    assert "card_arrival" not in sliced.value.problems[0].values["failed"]
    assert published(desk) == []
    plan = desk.plan(SHUT)
    assert plan.run.result()["release"] is None
    assert Path(str(problem.file)) == plan.run.page
    assert plan.run.page.exists()
    assert desk.events(SHUT) == []
    with pytest.raises(GateError):
        desk.run(SHUT)


def test_a_rule_that_could_not_be_compared_is_told_too(desk: Any) -> None:
    desk.values |= {"publish": {"name": "router", "alias": "production"}}
    with pytest.raises(RecipeError) as ungated:
        desk.run()
    assert ungated.value.problems[0].code == "R23"
    desk.run("eval.gate={accuracy: {at_least: 0}}")
    with pytest.raises(GateError) as caught:
        desk.run("eval.gate={accuracy: {at_least: 1.01, not_worse_than: production}}")
    assert "1.01" in caught.value.problems[0].values["failed"]


def test_a_worse_model_does_not_replace_the_one_in_production(desk: Any) -> None:
    desk.values |= {
        "publish": {"name": "router", "alias": "production"},
        "eval": {"gate": {"accuracy": {"not_worse_than": "production"}}},
    }
    assert desk.run()["release"] == "router@1"
    untrained = (
        "model={architecture: bert, hidden: 32, layers: 1, heads: 2, vocab: 400, context: 64}",
        "train.epochs=0.1",
    )
    with pytest.raises(GateError):
        desk.run(*untrained)
    assert published(desk) == ["router@1 production"]


def test_a_finished_run_holds_when_its_own_model_became_the_one_in_production(desk: Any) -> None:
    desk.values |= {
        "publish": {"name": "router", "alias": "production"},
        "eval": {"gate": {"accuracy": {"at_least": 0}}},
    }
    first = desk.run()
    desk.values["publish"]["alias"] = "candidate"
    compared = "eval.gate={accuracy: {not_worse_than: production, margin: 0.5}}"
    second = desk.run(compared, "seed=1")
    store = Store(desk.workspace.database)
    digest = {label: store.release(label).digest for label in (first["release"], second["release"])}
    assert second["rival"] == digest[first["release"]]
    assert store.release(second["release"]).lineage["gate"]["rival"] == second["rival"]
    store.move("router", "production", 2, expected=1, reason="better")
    store.close()
    assert running.is_complete(desk.plan(compared, "seed=1"))
    assert desk.run(compared, "seed=1")["rival"] == second["rival"]


def test_of_several_models_the_best_on_validation_is_kept(desk: Any) -> None:
    untrained = {"architecture": "bert", "hidden": 32, "layers": 1, "heads": 2, "vocab": 400, "context": 64}
    desk.values |= {"model": [untrained, "tfidf"], "train": {"epochs": 0.1}}
    result = desk.run()
    assert result["model"] == "tfidf"
    report = json.loads(desk.plan().run.report.read_text("utf-8"))
    tried = {candidate["name"]: candidate for candidate in report["candidates"]}
    assert [name for name, candidate in tried.items() if candidate["kept"]] == ["tfidf"]
    assert tried["tfidf"]["scores"]["accuracy"] > tried["bert-1x32"]["scores"]["accuracy"]
    assert loading.load(Resolved(name="own", folder=desk.plan().run.model)).kind == "tfidf"


def test_a_stopped_run_says_so_and_continues_to_the_same_bytes(
    bert: Any, weights: Weights, tmp_path: Path
) -> None:
    bert.run()
    whole = weights(bert.plan().run.model)
    bert.workspace = type(bert.workspace)(tmp_path / "another")
    asked = count(1)
    with pytest.raises(StoppedError) as caught:
        running.run(bert.plan(), stop=lambda: next(asked) == 5)
    assert caught.value.problems[0].values["step"] == 5
    plan = bert.plan()
    assert plan.run.status() == "stopped"
    resumed = planning.resume(plan.run, bert.workspace)
    events = list(running.events(resumed))
    assert [e.step for e in events if isinstance(e, Resumed)] == [5]
    assert weights(plan.run.model) == whole
    steps = [e.step for e in plan.run.events.read() if isinstance(e, Step)]
    assert steps == list(range(1, len(steps) + 1))
    assert plan.run.status() == "finished"


def test_the_curve_of_a_continued_run_is_that_of_a_whole_one(bert: Any, tmp_path: Path) -> None:
    bert.run()
    whole = json.loads(bert.plan().run.report.read_text("utf-8"))
    bert.workspace = type(bert.workspace)(tmp_path / "another")
    cut = running.events(bert.plan("train.save_every=2"))
    for event in cut:
        if isinstance(event, Step) and event.step == 5:
            break
    cut.close()  # type: ignore[attr-defined]
    bert.run("train.save_every=2")
    again = json.loads(bert.plan("train.save_every=2").run.report.read_text("utf-8"))
    assert again["curve"] == whole["curve"]
    assert again["validation"] == whole["validation"]
    assert again["scores"] == whole["scores"]


def breaking(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """A loss that is no number from the second batch on."""
    breaking.calls += 1  # type: ignore[attr-defined]
    return cross_entropy(logits, target) * (float("nan") if breaking.calls > 1 else 1)  # type: ignore[attr-defined]


def test_a_run_that_fails_says_so_and_can_be_tried_again(bert: Any) -> None:
    breaking.calls = 0  # type: ignore[attr-defined]
    loss = f"train.loss={__name__}:breaking"
    with pytest.raises(TunesmithError) as caught:
        bert.run(loss)
    assert caught.value.problems[0].code == "T01"
    plan = bert.plan(loss)
    assert plan.run.status() == "failed"
    last = list(plan.run.events.read())[-1]
    assert isinstance(last, Failed)
    assert last.code == "T01"
    breaking.calls = -10_000  # type: ignore[attr-defined]
    bert.run(loss)
    assert plan.run.status() == "finished"


def test_two_cannot_work_on_one_run(bert: Any) -> None:
    plan = bert.plan()
    with plan.run.locked(), pytest.raises(TunesmithError) as caught:
        bert.run()
    assert caught.value.problems[0].code == "C05"


def test_rows_with_nothing_to_learn_are_told_before_training_or_dropped(chat: Any) -> None:
    short = "data.max_length=16"
    with pytest.raises(DataError) as caught:
        chat.run(short)
    problem = caught.value.problems[0]
    assert problem.code == "T02"
    assert problem.values["count"] > 0
    assert str(problem.file).endswith("talks.json")
    with pytest.raises(DataError) as caught:
        chat.run("data.max_length=8", "data.on_error=drop")
    assert caught.value.problems[0].code == "T02"


@pytest.mark.parametrize("name", ["desk", "bert", "chat"])
def test_without_rows_to_measure_on_nothing_is_trained(request: pytest.FixtureRequest, name: str) -> None:
    desk = request.getfixturevalue(name)
    with pytest.raises(DataError) as caught:
        desk.run("data.split={test: 0, validation: 0}")
    assert caught.value.problems[0].code == "E03"
    assert not desk.workspace.runs.exists()


def test_what_was_dropped_for_lack_of_an_answer_is_in_the_ledger(chat: Any) -> None:
    result = chat.run("data.max_length=64", "data.on_error=drop", "train.epochs=0.2")
    ledger = result["ledger"]
    assert ledger["dropped"]["nothing_to_learn"] > 0
    out = ledger["duplicate"] + sum(ledger["dropped"].values()) + sum(ledger["held_out"].values())
    assert ledger["read"] == ledger["used"] + out
    assert ledger["truncated"] > 0
