"""What a run depends on: a change re-runs what it touches, and a lock file holds a run to what it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core import recipe_file
from tunesmith.core.errors import NotFoundError, RecipeError, TunesmithError
from tunesmith.workflow import locking
from tunesmith.workflow import plan as planning


def keys(desk: Any, *overrides: str) -> dict[str, str]:
    plan = desk.plan(*overrides)
    return {
        "data": plan.data_key,
        "train": plan.candidates[0].key,
        "eval": plan.eval_key,
        "run": plan.run.id,
    }


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("seed=1", {"data", "train", "eval", "run"}),
        ("data.split.test=0.3", {"data", "train", "eval", "run"}),
        ("data.clean=[]", {"data", "train", "eval", "run"}),
        ("data.max_length=32", {"train", "eval", "run"}),
        ("model.layers=2", {"train", "eval", "run"}),
        ("train.epochs=3", {"train", "eval", "run"}),
        ("train.clip=2", {"train", "eval", "run"}),
        ("train.optimizer.lr=1e-5", {"train", "eval", "run"}),
        ("train.batch_size=5", {"train", "eval", "run"}),
        ("eval.gate={accuracy: {at_least: 0.5}}", {"eval", "run"}),
        ("eval.metrics=[accuracy]", {"eval", "run"}),
        ("publish={name: router}", {"run"}),
        ("train.save_every=5", {"run"}),
    ],
)
def test_a_changed_key_changes_what_depends_on_it_and_nothing_else(
    bert: Any, override: str, changed: set[str]
) -> None:
    before, after = keys(bert), keys(bert, override)
    assert {name for name in before if before[name] != after[name]} == changed


def test_a_default_written_out_changes_nothing(bert: Any) -> None:
    assert keys(bert) == keys(bert, "train.method=full", "seed=0", "data.clean=[normalise, dedup]")


def test_a_changed_byte_of_the_data_changes_everything(bert: Any) -> None:
    before = keys(bert)
    with (bert.folder / "tickets.csv").open("a", encoding="utf-8") as file:
        file.write("one more,card_arrival\n")
    assert not set(before.values()) & set(keys(bert).values())


def test_the_current_folder_changes_nothing(bert: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys(bert)
    monkeypatch.chdir(bert.folder)
    assert keys(bert) == before
    relative = planning.make(Path(bert.name), bert.workspace)
    assert relative.data_key == before["data"]
    assert relative.run.id == before["run"]


def test_which_entry_a_file_belongs_to_is_part_of_it(desk: Any) -> None:
    for name in "123":
        (desk.folder / f"x{name}.csv").write_bytes((desk.folder / "tickets.csv").read_bytes())
    desk.values["data"]["source"] = [{"path": "x[12].csv", "cap": 9}, "x3.csv"]
    one = desk.plan().data_key
    desk.values["data"]["source"] = [{"path": "x1.csv", "cap": 9}, "x[23].csv"]
    other = desk.plan().data_key
    desk.values["data"]["source"] = [{"path": "x1.csv", "cap": 9, "weight": 2}, "x[23].csv"]
    assert len({one, other, desk.plan().data_key}) == 3


def test_what_a_description_says_of_a_file_is_part_of_it(desk: Any) -> None:
    entries = {
        name: {"file_name": "tickets.csv", "columns": {"prompt": column}}
        for name, column in (("one", "text"), ("two", "label"))
    }
    (desk.folder / "dataset_info.json").write_text(json.dumps(entries), "utf-8")
    found = set()
    for name in entries:
        desk.values["data"]["source"] = f"dataset_info.json#{name}"
        found.add(desk.plan().data_key)
    assert len(found) == 2


def test_the_lines_of_a_cleaners_file_are_part_of_it_wherever_it_is_named_from(
    desk: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    words = desk.folder / "words.txt"
    words.write_text("card\n", "utf-8")
    desk.values["data"]["clean"] = [{"name": "filter_profanity", "file": "words.txt"}]
    before = desk.plan().data_key
    file = lock(desk, tmp_path_factory.mktemp("elsewhere"))
    assert planning.make(file, desk.workspace).data_key == before
    words.write_text("card\npin\n", "utf-8")
    assert desk.plan().data_key != before


def test_a_file_that_a_pattern_finds_later_breaks_the_lock(
    desk: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    desk.values["data"]["source"] = "ticket*.csv"
    file = lock(desk, tmp_path_factory.mktemp("elsewhere"))
    (desk.folder / "tickets2.csv").write_bytes((desk.folder / "tickets.csv").read_bytes())
    with pytest.raises(RecipeError) as caught:
        planning.make(file, desk.workspace)
    assert [problem.code for problem in caught.value.problems] == ["R09"]


def test_the_threads_are_part_of_it(bert: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys(bert)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    after = keys(bert)
    assert before["data"] == after["data"]
    assert before["train"] != after["train"]


def test_the_text_of_a_template_file_is_part_of_it(chat: Any) -> None:
    file = chat.folder / "mine.jinja"
    file.write_text("{{ messages[0].content }}", "utf-8")
    before = keys(chat, "prompt.template=mine.jinja")
    file.write_text("{{ messages[1].content }}", "utf-8")
    after = keys(chat, "prompt.template=mine.jinja")
    assert before["data"] == after["data"]
    assert before["train"] != after["train"]


def test_each_model_of_several_is_known_by_its_own(desk: Any) -> None:
    desk.values["model"] = ["tfidf", {"architecture": "bert", "hidden": 32, "layers": 1, "heads": 2}]
    plan = desk.plan()
    assert [candidate.name for candidate in plan.candidates] == ["tfidf", "bert-1x32"]
    assert len({candidate.key for candidate in plan.candidates}) == 2
    assert desk.plan("model=tfidf").candidates[0].key == plan.candidates[0].key


def test_a_run_is_called_after_its_recipe(desk: Any) -> None:
    desk.name = "My Tickets.v2.yaml"
    assert desk.plan().run.id.startswith("my-tickets-")


def test_planning_writes_nothing(bert: Any) -> None:
    keys(bert)
    assert not bert.workspace.root.exists()


def lock(desk: Any, folder: Path) -> Path:
    file = folder / "recipe.lock.yaml"
    recipe_file.write(locking.locked(desk.plan()), file)
    return file


@pytest.mark.parametrize("name", ["bert", "chat", "desk"])
def test_a_lock_file_elsewhere_is_the_same_work(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    desk = request.getfixturevalue(name)
    (desk.folder / "mine.jinja").write_text("{{ messages[0].content }}", "utf-8")
    if name == "chat":
        desk.values["prompt"] = {"template": "mine.jinja", "system": "你好"}
    plan = desk.plan()
    again = planning.make(lock(desk, tmp_path_factory.mktemp("elsewhere")), desk.workspace)
    assert again.data_key == plan.data_key
    assert again.candidates[0].key == plan.candidates[0].key
    assert again.eval_key == plan.eval_key
    assert locking.locked(again) == locking.locked(plan)


def test_a_model_found_here_is_found_by_the_lock_file_from_anywhere(
    desk: Any, shared_data: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.values["model"] = "bert-base-chinese-vocab"
    monkeypatch.chdir(shared_data / "weights")
    file, plan = lock(desk, tmp_path_factory.mktemp("elsewhere")), desk.plan()
    assert plan.candidates[0].source.folder == (shared_data / "weights" / "bert-base-chinese-vocab").resolve()
    monkeypatch.chdir("/")
    assert planning.make(file, desk.workspace).candidates == plan.candidates


def test_a_tokenizer_of_a_model_is_found_by_the_lock_file_from_anywhere(
    bert: Any, shared_data: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    bert.values["model"] |= {"tokenizer": "bert-base-chinese-vocab"}
    monkeypatch.chdir(shared_data / "weights")
    file, plan = lock(bert, tmp_path_factory.mktemp("elsewhere")), bert.plan()
    assert plan.candidates[0].key != keys(bert, "model.tokenizer=bpe")["train"]
    monkeypatch.chdir("/")
    assert planning.make(file, bert.workspace).candidates == plan.candidates


@pytest.mark.parametrize(("name", "code"), [("wordpeice", "M88"), ("tfidf", "M86")])
def test_what_is_no_tokenizer_is_told(bert: Any, name: str, code: str) -> None:
    bert.values["model"] |= {"tokenizer": name}
    with pytest.raises(TunesmithError, match=code):
        bert.plan()


def test_a_folder_that_only_has_a_models_name_is_not_that_model(desk: Any) -> None:
    (desk.folder / "tfidf").mkdir()
    assert locking.locked(desk.plan()).model == ["tfidf"]


def test_a_lock_file_keeps_the_number_of_threads(
    bert: Any, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    file, key = lock(bert, tmp_path_factory.mktemp("elsewhere")), bert.plan().candidates[0].key
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert planning.make(file, bert.workspace).candidates[0].key == key


def test_a_run_is_the_same_one_when_the_system_leaves_a_little_less_memory(
    bert: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []
    for memory in (16 * 2**30 - 1, 15.3 * 2**30, 15 * 2**30 - 1):
        monkeypatch.setattr(planning, "machine_memory_bytes", lambda found=int(memory): found)
        keys.append(bert.plan().candidates[0].key)
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("what", ["data", "model"])
def test_a_lock_file_refuses_changed_data_and_models(
    desk: Any, shared_data: Path, tmp_path_factory: pytest.TempPathFactory, what: str
) -> None:
    model = desk.folder / "model"
    model.mkdir()
    for path in (shared_data / "weights" / "bert-base-chinese-vocab").iterdir():
        (model / path.name).write_bytes(path.read_bytes())
    desk.values["model"] = "model"
    file = lock(desk, tmp_path_factory.mktemp("elsewhere"))
    changed = desk.folder / "tickets.csv" if what == "data" else model / "tokenizer.json"
    changed.write_bytes(changed.read_bytes() + b"\n")
    with pytest.raises(RecipeError) as caught:
        planning.make(file, desk.workspace)
    problem = caught.value.problems[0]
    assert problem.code == "R09"
    assert (problem.file or "").endswith("tickets.csv" if what == "data" else "model")


def test_data_that_is_gone_is_not_found(desk: Any) -> None:
    (desk.folder / "tickets.csv").unlink()
    with pytest.raises(NotFoundError) as caught:
        desk.plan().sources  # noqa: B018
    assert caught.value.problems[0].code == "D01"
