from __future__ import annotations

import json

import pytest

from tunesmith.core import components, recipe_file
from tunesmith.core.errors import DataError
from tunesmith.core.recipe import Scratch
from tunesmith.workflow import initial


def made(draft, path):
    path.write_text(draft.text, "utf-8")
    return recipe_file.load(path)


@pytest.fixture
def rows(tmp_path):
    def write(name, *content):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content), "utf-8")
        return path

    return write


def test_both_languages_make_the_same_recipe(tmp_path, rows):
    for file in (rows("a.jsonl", *LABELLED), rows("b.jsonl", *CHAT), None):
        recipes = [
            made(initial.draft(file, task=None, out=tmp_path / "r.yaml", lang=lang), tmp_path / "r.yaml")
            for lang in ("en", "zh")
        ]
        assert recipes[0] == recipes[1]


LABELLED = [{"text": f"the card number {i} is lost", "label": "ab"[i % 2]} for i in range(8)]
CHINESE = [{"text": f"第{i}张卡丢了怎么办", "label": "甲乙"[i % 2]} for i in range(8)]
CHAT = [{"instruction": f"say {i}", "input": "", "output": f"it is {i}"} for i in range(4)]
SEVERAL = [{"text": f"row {i}", "labels": ["a", "b"][: 1 + i % 2]} for i in range(8)]
PAIRS = [{"en": f"the card number {i} is lost", "zh": f"第{i}张卡丢了"} for i in range(8)]
CHOSEN = [{"prompt": f"say {i}", "chosen": f"it is {i}", "rejected": "no"} for i in range(4)]
JUDGED = [{"prompt": f"say {i}", "completion": f"it is {i}", "label": i % 2 == 0} for i in range(4)]
SCORED = [{"sentence": f"row {i}", "score": i / 8} for i in range(8)]
ALIKE = [{"sentence1": f"row {i}", "sentence2": f"line {i}", "score": i / 8} for i in range(8)]
TEXT = [{"text": f"once upon a time there were {i} of them"} for i in range(4)]


@pytest.mark.parametrize(
    ("content", "task", "architecture"),
    [(LABELLED, "classify", None), (CHINESE, "classify", "bert"), (CHAT, "chat", "llama"),
     (TEXT, "generate", "llama"), (SEVERAL, "classify", None), (PAIRS, "translate", "transformer"),
     (CHOSEN, "prefer", None), (JUDGED, "prefer", None), (ALIKE, "embed", None)],
)  # fmt: skip
def test_rows_decide_the_task_and_the_model(tmp_path, rows, content, task, architecture):
    draft = initial.draft(rows("a.jsonl", *content), task=None, out=tmp_path / "r.yaml", lang="en")
    recipe = made(draft, tmp_path / "r.yaml")
    assert (draft.task, recipe.task) == (task, task)
    model = recipe.model[0]
    assert (model.architecture if isinstance(model, Scratch) else None) == architecture
    assert model in ("minilm", "tfidf", "tiny-zh-en") or architecture


@pytest.mark.parametrize("task", components.tasks.names())
def test_there_is_a_recipe_for_every_task(tmp_path, task):
    recipe = made(initial.draft(None, task=task, out=tmp_path / "r.yaml", lang="en"), tmp_path / "r.yaml")
    assert recipe.task == task
    assert recipe.eval.metrics


def test_numbers_are_scored_where_that_is_asked_for(tmp_path, rows):
    draft = initial.draft(rows("a.jsonl", *SCORED), task="score", out=tmp_path / "r.yaml", lang="en")
    assert made(draft, tmp_path / "r.yaml").eval.metrics == ["spearman", "pearson"]


def test_a_task_that_was_asked_for_is_taken(tmp_path, rows):
    draft = initial.draft(rows("a.jsonl", *LABELLED), task="generate", out=tmp_path / "r.yaml", lang="en")
    assert made(draft, tmp_path / "r.yaml").data.fields == {"text": "text"}


def test_fewer_rows_are_seen_more_often(tmp_path, rows):
    few = initial.draft(rows("a.jsonl", *LABELLED), task=None, out=tmp_path / "r.yaml", lang="en")
    many = [{**row, "text": f"{row['text']} {i}"} for i in range(400) for row in LABELLED]
    more = initial.draft(rows("b.jsonl", *many), task=None, out=tmp_path / "r.yaml", lang="en")
    path = tmp_path / "r.yaml"
    assert made(few, path).train.epochs > made(more, path).train.epochs


def test_names_that_yaml_would_misread_are_quoted(tmp_path):
    folder = tmp_path / "数据: 一"
    folder.mkdir()
    path = folder / "- my #1 {file}.csv"
    path.write_text(
        "yes,true: a\nwhere is my card,x\nwhat is the rate,y\nlost my card,x\nrate today,y\n", "utf-8"
    )
    draft = initial.draft(path, task="classify", out=tmp_path / "r.yaml", lang="zh")
    recipe = made(draft, tmp_path / "r.yaml")
    assert recipe.data.source["all"][0].path == "数据: 一/- my #1 {file}.csv"
    assert recipe.data.fields == {"text": "yes", "label": "true: a"}


def test_a_file_that_says_only_which_part_it_is_gives_no_name(tmp_path):
    for folder, name in (("bank", "bank"), ("银行", "model")):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "train.csv"
        path.write_text("text,label\none,a\ntwo,b\nthree,a\nfour,b\n")
        draft = initial.draft(path, task=None, out=tmp_path / "r.yaml", lang="en")
        recipe = made(draft, tmp_path / "r.yaml")
        assert recipe.publish is not None
        assert recipe.publish.name == name


def test_a_single_class_cannot_be_learned(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\none,a\ntwo,a\nthree,a\n")
    with pytest.raises(DataError, match="D09"):
        initial.draft(path, task=None, out=tmp_path / "r.yaml", lang="en")
