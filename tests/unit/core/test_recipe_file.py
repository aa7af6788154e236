"""recipe.yaml: YAML 1.2, every mistake at once with its line, overrides, and reading what was written."""

from __future__ import annotations

import pytest

from tunesmith.core import recipe_file
from tunesmith.core.errors import NotFoundError, RecipeError

GOOD = """\
recipe: 1
task: classify
model: minilm
data:
  source: tickets.csv
train:
  method: lora
  optimizer: {name: adamw, lr: 2e-4}
"""


@pytest.fixture
def write(tmp_path):
    def make(text, encoding="utf-8"):
        path = tmp_path / "recipe.yaml"
        path.write_text(text, encoding)
        return path

    return make


def problems(path, *overrides):
    with pytest.raises(RecipeError) as caught:
        recipe_file.load(path, overrides)
    return caught.value.problems


def test_five_mistakes_are_told_at_once_each_with_its_line(write):
    path = write(
        "recipe: 1\ntask: clasify\nmodel: minilm\ndata:\n  source: tickets.csv\n  splt: {test: 0.2}\n"
        "train:\n  epochs: 0\n  optimizer:\n    name: adamw\n    lr: fast\n    wieght_decay: 0.1\n"
    )
    found = [(p.line, p.code, p.field) for p in problems(path)]
    assert found == [
        (2, "R06", "task"),
        (6, "R03", "data.splt"),
        (8, "R05", "train.epochs"),
        (11, "R05", "train.optimizer.lr"),
        (12, "R03", "train.optimizer.wieght_decay"),
    ]
    assert [p.values.get("close") for p in problems(path)] == [
        "classify",
        "split",
        None,
        None,
        "weight_decay",
    ]
    assert all(p.file == str(path) for p in problems(path))


def test_a_missing_key_is_told_at_the_line_of_its_section(write):
    (problem,) = problems(write("task: chat\nmodel: gpt2\ndata:\n  clean: []\n"))
    assert (problem.code, problem.line, problem.field) == ("R04", 3, "data.source")


def test_a_mistake_in_a_list_is_told_at_its_item(write):
    path = write(
        "task: classify\nmodel:\n  - minilm\n  - {architecture: bert, hiden: 32}\ndata: {source: a}\n"
    )
    (problem,) = problems(path)
    assert (problem.code, problem.line, problem.field) == ("R03", 4, "model.1.hiden")
    assert problem.values["close"] == "hidden"


def test_yaml_is_read_as_version_1_2(write):
    text = "a: 1e-4\nb: [yes, no, on, off]\nc: 010\nd: 0o10\ne: 12:30:00\nf: [true, null, ~]\n"
    assert recipe_file.parse(write(text)).values == {
        "a": 1e-4, "b": ["yes", "no", "on", "off"], "c": 10, "d": 8, "e": "12:30:00", "f": [True, None, None],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("task: [classify\nmodel: x\n", 2),
        ("task: a\n\ttrain: b\n", 2),
        ("task: a\ntask: b\n", 2),
        ("- a\n- b\n", 1),
        ("just words\n", 1),
        ("a: !!python/object/apply:os.system [id]\n", 1),
        ("a: &a [*a]\n", 1),
        ("task: a\n? [a, b]\n: c\n", 2),
        ("task: a\ndata:\n  ? {a: b}\n  : c\n", 3),
        ("task: a\n1: b\n", 2),
        ("task: a\nnull: b\n", 2),
        ("task: a\ntrain: {1: b}\n", 2),
        ("a: 2024-99-99\n", 1),
    ],
)
def test_what_is_no_recipe_is_told_with_its_line_and_runs_nothing(write, text, line):
    (problem,) = problems(write(text))
    assert (problem.code, problem.line) == ("R02", line)


def test_merged_keys_are_keys(write):
    text = "a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n"
    assert recipe_file.parse(write(text)).values["b"] == {"x": 1, "y": 2}


@pytest.mark.parametrize(
    ("split", "cause"),
    [
        ("{test: 0.6, validation: 0.5}", "test (0.6) and validation (0.5)"),
        ("{test: 0.95}", "test (0.95) and validation (0.1)"),
        ("{test: 0.5, validation: 0.5}", "test (0.5) and validation (0.5)"),
    ],
)
def test_a_split_that_leaves_nothing_to_learn_from_is_told(write, split, cause):
    (problem,) = problems(write(f"task: classify\nmodel: minilm\ndata:\n  source: a.csv\n  split: {split}\n"))
    assert (problem.code, problem.line, problem.field) == ("R05", 5, "data.split")
    assert cause in problem.as_dict("en")["cause"]


def test_a_file_in_another_encoding_is_told(write):
    (problem,) = problems(write("task: 分类\n", "gb18030"))
    assert problem.code == "R02"


def test_a_file_that_is_too_large_is_not_read(write):
    (problem,) = problems(write("#" * (recipe_file.MAX_BYTES + 1)))
    assert problem.code == "R02"


def test_a_byte_order_mark_does_not_hurt(write):
    assert recipe_file.load(write(GOOD, "utf-8-sig")).task == "classify"


def test_a_file_that_does_not_exist_is_not_found(tmp_path):
    with pytest.raises(NotFoundError) as caught:
        recipe_file.load(tmp_path / "recipe.yaml")
    assert caught.value.problems[0].code == "R01"


def test_keys_can_be_overridden(write):
    made = recipe_file.load(
        write(GOOD),
        ["train.epochs=5", "train.method.rank=4", "model=[a, b]", "data.split.test=0.3", "seed = 7"],
    )
    assert made.train.epochs == 5
    assert (made.train.method.name, made.train.method.settings["rank"]) == ("lora", 4)
    assert made.model == ["a", "b"]
    assert made.data.split.test == 0.3
    assert made.seed == 7


@pytest.mark.parametrize("override", ["epochs", "=3", "train..epochs=3", "seed.a=1"])
def test_an_override_that_is_none_is_told(write, override):
    path = write(GOOD + "seed: 1\n")
    (problem,) = problems(path, override)
    assert problem.code == "R08"


def test_a_wrong_override_is_told_by_its_key(write):
    (problem,) = problems(write(GOOD), "train.epochs=-1")
    assert (problem.code, problem.field) == ("R05", "train.epochs")


def test_a_value_that_fits_no_kind_it_may_be_of_is_told_once_with_all_of_them(write):
    (problem,) = problems(write(GOOD), "train.micro_batch_tokens=8")
    assert (problem.code, problem.field) == ("R05", "train.micro_batch_tokens")
    assert problem.as_dict("en")["cause"] == "it must be at least 16, or it must be 'auto'"
    assert problem.as_dict("zh")["cause"] == "至少为 16，或必须是 'auto'"


def test_what_is_written_reads_back_as_the_same_recipe(write, tmp_path):
    made = recipe_file.load(write(GOOD), ["prompt.system=你好：# 井号 'quotes' \"yes\"", "train.epochs=0.1"])
    path = tmp_path / "lock" / "recipe.lock.yaml"
    recipe_file.write(made, path)
    assert recipe_file.load(path) == made
    assert "你好" in path.read_text("utf-8")
