"""Checking: all mistakes of a recipe, its data and its models at once, each at its line, in no time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core import recipe_file
from tunesmith.core.errors import NotFoundError, Problem, RecipeError
from tunesmith.core.workspace import Workspace
from tunesmith.workflow import check

FIVE = """\
recipe: 1
task: clasify
model: minilmm
data:
  source: tickets.csv
  fields: {text: message, label: topic}
train:
  epohcs: 3
  optimizer: {name: adamw, lr: -1}
"""


def problems(path: Path) -> list[Problem]:
    return check.find(recipe_file.parse(path), Workspace(path.parent / ".tunesmith"))[1]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tickets.yaml"
    path.write_text(FIVE, "utf-8")
    (tmp_path / "tickets.csv").write_text(
        "message,topic\nwhere is it,card\nwhat rate,rate\nno label,\n", "utf-8"
    )
    return path


def test_five_different_mistakes_are_told_at_once_with_their_lines(recipe: Path) -> None:
    found = {(p.code, Path(str(p.file)).name, p.line) for p in problems(recipe)}
    assert found == {
        ("R06", "tickets.yaml", 2),
        ("M01", "tickets.yaml", 3),
        ("D07", "tickets.csv", 4),
        ("R03", "tickets.yaml", 8),
        ("R05", "tickets.yaml", 9),
    }
    for problem in problems(recipe):
        for lang in ("en", "zh"):
            said = problem.as_dict(lang)
            assert said["message"]
            assert said["cause"]
            assert said["hint"]
            assert "{" not in said["message"] + said["cause"]


def test_it_takes_less_than_a_second_and_writes_nothing(recipe: Path) -> None:
    paths = os.pathsep.join(map(os.path.abspath, sys.path))
    command = [sys.executable, "-m", "tunesmith", "check", recipe.name]
    began = time.monotonic()
    said = subprocess.run(
        command, cwd=recipe.parent, env={**os.environ, "PYTHONPATH": paths, "TUNESMITH_LANG": "en"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    # A second on an idle machine; the tests may run on a busy one.
    assert time.monotonic() - began < 3
    assert said.returncode == 3
    assert said.stderr.count("error[") == 5
    assert "Traceback" not in said.stderr
    assert sorted(path.name for path in recipe.parent.iterdir()) == ["tickets.csv", "tickets.yaml"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model": "minilmm"}, [("M01", "model")]),
        ({"model": ["tfidf", "minilmm", "nothing/../x"]}, [("M01", "model"), ("M01", "model")]),
        ({"task": "chat"}, [("R13", "model")]),
        ({"model": {"architecture": "bert", "heads": 7}}, [("M15", "model.heads")]),
        ({"model": {"architecture": "bert", "kv_heads": 2}}, [("R20", "model.kv_heads")]),
        (
            {"model": {"architecture": "bert", "tokenizer": "wordpiece", "vocab": 400}},
            [("R21", "model.vocab")],
        ),
        ({"model": {"architecture": "t5"}}, [("R13", "model")]),
        ({"model": {"architecture": "bert"}, "train": {"method": "lora"}}, [("R15", "train.method")]),
        ({"eval": {"against": ["bert"]}}, [("R06", "eval.against")]),
        ({"eval": {"slices": ["chanel"]}}, [("C30", "eval.slices")]),
        ({"eval": {"gate": {"perplexity": {"at_most": 3}}}}, [("R11", "eval.gate.perplexity")]),
        ({"eval": {"gate": {"accuracy": {"not_worse_than": "prod"}}}}, [("R06", "eval.gate.accuracy")]),
        ({"data": {"source": "tickets.csv", "fields": {"lable": "label"}}}, [("R12", "data.fields.lable")]),
        ({"data": {"source": "gone.csv"}}, [("D01", None)]),
        ({"data": {"source": {"train": "tickets.csv", "all": "tickets.csv"}}}, [("R14", "data.source")]),
    ],
    ids=lambda value: value[0][0] if isinstance(value, list) else None,
)
def test_what_does_not_go_together_is_told(
    desk: Any, changes: dict[str, Any], expected: list[tuple[str, str | None]]
) -> None:
    desk.values |= changes
    found = [(p.code, p.field) for p in problems(desk.recipe)]
    # Other rows are needed for another task; that is told too.
    assert [item for item in found if not item[0].startswith("D") or item in expected] == expected
    assert not desk.workspace.root.exists()


@pytest.mark.parametrize("name", ["desk", "bert", "chat"])
def test_a_right_recipe_has_no_problems(request: pytest.FixtureRequest, name: str) -> None:
    desk = request.getfixturevalue(name)
    assert problems(desk.recipe) == []
    assert not desk.workspace.root.exists()


def test_files_that_are_missing_and_nothing_else_are_not_found() -> None:
    missing = Problem(code="D01", file="a.csv")
    check.stop_for([])
    with pytest.raises(NotFoundError):
        check.stop_for([missing])
    with pytest.raises(RecipeError):
        check.stop_for([missing, Problem(code="R03")])


def test_a_misspelt_cleaner_does_not_hide_those_beside_it(recipe: Path) -> None:
    rows = "text,label\n" + "".join(
        f"message {i * 7919 % 1009},{'ab'[i % 2] if i else ''}\n" for i in range(40)
    )
    recipe.with_name("tickets.csv").write_text(rows, encoding="utf-8")
    recipe.write_text(
        "task: classify\nmodel: tfidf\ndata:\n  source: tickets.csv\n"
        "  clean: [drop_unlabelled, normalize, {name: dedup, near: 7}, dedub]\n",
        encoding="utf-8",
    )
    assert [(problem.code, problem.field) for problem in problems(recipe)] == [
        ("R06", "data.clean.1"),
        ("R05", "data.clean.2.near"),
        ("R06", "data.clean.3"),
    ]


def test_a_limit_that_nothing_could_exceed_is_told(tmp_path: Path) -> None:
    (tmp_path / "t5").mkdir()
    config = {"model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "is_encoder_decoder": True}
    (tmp_path / "t5" / "config.json").write_text(json.dumps(config), "utf-8")
    (tmp_path / "pairs.csv").write_text("source,target\na,b\nc,d\n", "utf-8")
    path = tmp_path / "pairs.yaml"
    path.write_text(
        "task: translate\nmodel: t5\ndata: {source: pairs.csv}\neval: {limits: {forgetting: 0.1}}\n", "utf-8"
    )
    assert [(p.code, p.field) for p in problems(path)] == [("R24", "eval.limits.forgetting")]
