"""Hosted models on the command line: kept, asked, measured, a baseline; not trained, served or exported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hosts.host import Host, running, said

if TYPE_CHECKING:
    from conftest import Call

ROWS = [("where is my parcel", "delivery"), ("give me my money back", "refund")] * 30
WORDS = ["red", "blue", "old", "new", "big", "wooden", "green", "small", "paper", "heavy"]


@pytest.fixture
def host() -> Iterator[Host]:
    with running() as made:
        yield made


@pytest.fixture
def added(call: Call, host: Host) -> Call:
    """The command line in a workspace that knows the host as `hosted:far`."""
    words = ("models", "add", "hosted:far", "--url", host.url, "--model", "m-1", "--max-requests", "500")
    assert call(*words).code == 0
    return call


def rows(folder: Path) -> Path:
    file = folder / "rows.jsonl"
    lines = [
        json.dumps({"text": f"{text} {WORDS[i % 10]} {WORDS[i // 7]} {i}" * 2, "label": label})
        for i, (text, label) in enumerate(ROWS)
    ]
    file.write_text("\n".join(lines), "utf-8")
    return file


def test_a_hosted_model_is_listed_shown_asked_and_forgotten(added: Call, host: Host) -> None:
    host.replies = [said("你好！", tokens=12)]
    assert added("ask", "hosted:far", "hello", "--max-new-tokens", "5").out == "你好！\n"
    assert host.asked[0]["max_tokens"] == 5
    assert added("ask", "hosted:far", "hello", "--max-new-tokens", "5").out == "你好！\n"
    assert "hosted:far" in added("models", "list").out
    shown = added("models", "show", "hosted:far", "--json").json
    assert (shown["model"], shown["used"]) == ("m-1", {"requests": 1, "tokens": 12})
    assert "1 / 500 次请求" in added("models", "show", "hosted:far", "--lang", "zh").out
    assert added("models", "remove", "hosted:far").code == 0
    assert added("ask", "hosted:far", "hello").code == 4


def test_labels_of_a_hosted_model_are_measured(added: Call, host: Host, tmp_path: Path) -> None:
    host.answer = lambda body: said("refund" if "money" in body["messages"][-1]["content"] else "no idea")
    report = added("eval", "hosted:far", "--data", rows(tmp_path), "--json").json
    assert report["scores"]["accuracy"] == 0.5
    assert "delivery\nrefund" in host.asked[0]["messages"][0]["content"]


def test_a_recipe_compares_with_a_hosted_model_that_it_cannot_train(
    added: Call, host: Host, tmp_path: Path
) -> None:
    host.answer = lambda body: said("refund")
    recipe = tmp_path / "recipe.yaml"
    text = f"task: classify\nmodel: tfidf\ndata: {{source: {rows(tmp_path).name}}}\n"
    text += "eval: {against: ['hosted:far'], gate: {accuracy: {not_worse_than: 'hosted:far'}}}\n"
    recipe.write_text(text, "utf-8")
    done = added("run", recipe, "--json").json
    assert done["baselines"]["hosted:far"]["accuracy"] == pytest.approx(0.5, abs=0.2)
    assert done["gate"]["passed"]
    refused = added("check", recipe, "--set", "model=hosted:far", "--json")
    assert (refused.code, refused.json["problems"][0]["code"]) == (3, "M14")
    unknown = added("check", recipe, "--set", "eval.against=['hosted:fat']")
    assert unknown.code == 3
    assert "hosted:far" in unknown.err


def test_what_a_hosted_model_cannot_do_is_refused(added: Call, tmp_path: Path) -> None:
    for words in (("serve", "hosted:far"), ("models", "export", "hosted:far", "--to", tmp_path / "x")):
        refused = added(*words)
        assert refused.code == 3, refused
        assert "M14" in refused.err


def test_what_is_missing_is_told(call: Call) -> None:
    assert "--url" in call("models", "add", "hosted:far", "--model", "m").err
    assert call("models", "add", "hosted:far", "--url", "http://example.org/v1", "--model", "m").code == 2
    assert call("ask", "hosted:nobody", "hello").code == 4
