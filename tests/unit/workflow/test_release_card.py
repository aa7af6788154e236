"""README.md of a release: a head that hubs read, and a body in which users' words stay words."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tunesmith.core import durable
from tunesmith.core.store import Store
from tunesmith.workflow import run as running


def head_and_body(folder: Path) -> tuple[dict[str, Any], str]:
    _, head, body = (folder / "README.md").read_text("utf-8").split("---\n", 2)
    return YAML(typ="safe").load(head), body


def test_every_release_has_a_card_with_the_figures_of_its_report(desk):
    desk.values |= {"publish": {"name": "router"}, "eval": {"metrics": ["macro_f1"]}}
    result = desk.run()
    release = Store(desk.workspace.database).release(result["release"])
    folder = Path(release.folder)
    assert durable.verify(folder) == release.digest
    head, body = head_and_body(folder)
    assert (head["pipeline_tag"], head["library_name"]) == ("text-classification", "tunesmith")
    assert (head["language"], head["license"]) == (["en"], "apache-2.0")
    measured = {m["type"]: m["value"] for m in head["model-index"][0]["results"][0]["metrics"]}
    assert measured == pytest.approx(result["scores"], abs=1e-6)
    majority = result["baselines"]["majority"]["accuracy"]
    scores = result["scores"]["accuracy"]
    assert f"| accuracy | {scores:.4f} | {majority:.4f} |" in body
    assert f"| rows learned from | {result['ledger']['used']} |" in body
    assert str(desk.folder) not in body


def test_a_model_with_weights_tells_how_it_was_trained_in_the_language_of_the_run(bert):
    running.run(bert.plan(), lang="zh")
    head, body = head_and_body(bert.plan().run.model)
    assert head["library_name"] == "transformers"
    assert "base_model" not in head
    assert "| optimizer | adamw (lr 0.003," in body
    assert "## 训练" in body
    assert "从零训练" in body


def test_a_chat_model_states_its_prompt_contract(chat):
    chat.run()
    head, body = head_and_body(chat.plan().run.model)
    assert head["pipeline_tag"] == "text-generation"
    assert "contract.json" in body
    assert "* ends at: `" in body


def test_what_users_wrote_is_neither_markup_nor_yaml(desk):
    path = desk.folder / "tickets.csv"
    rows = list(csv.reader(path.read_text("utf-8").splitlines()))
    odd = "a|b <script>\n---\nlicense: mit"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([[text, label.replace("change_pin", odd)] for text, label in rows])
    desk.run()
    head, body = head_and_body(desk.plan().run.model)
    assert head["license"] == "apache-2.0"
    assert "<script>" not in body
    assert r"a\|b &lt;script&gt; --- license: mit" in body
