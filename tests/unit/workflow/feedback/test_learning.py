"""What people said of answers becomes rows in versions, after review where it is wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core import durable
from tunesmith.core.errors import DataError, NotFoundError, RecipeError
from tunesmith.core.workspace import Workspace
from tunesmith.workflow import plan as planning
from tunesmith.workflow.feedback import learning, versions
from tunesmith.workflow.feedback.opinions import gather

RECIPE = """task: classify
model: tfidf
data:
  source: [rows.csv, "feedback:topics"]
  fields: {text: message, label: topic}
publish: {name: topics}
"""


def classified(number: int, text: Any, *, model: str = "topics@3") -> dict[str, Any]:
    shares = {"card": 0.6, "rate": 0.4}
    data = [{"index": 0, "label": "card", "probability": 0.6, "probabilities": shares}]
    answer = {"object": "list", "model": model, "data": data * (len(text) if isinstance(text, list) else 1)}
    asked = {"model": "topics", "input": text}
    return {
        "kind": "request", "at": number, "route": "/v1/classify", "request_id": f"r{number}", "id": None,
        "key": "k", "status": 200, "request": asked, "answer": answer,
    }  # fmt: skip


def said(number: int, *, key: str = "k", at: float | None = None, **words: Any) -> dict[str, Any]:
    return {"kind": "feedback", "at": at or 100 + number, "id": f"r{number}", "key": key, **words}


LOG = [
    classified(1, "what do I pay"), said(1, correction=" Rate "),
    classified(2, "my card is lost, mail bob@example.org"), said(2, rating="good"),
    classified(3, "anything"), said(3, rating="bad"),
    classified(4, ["two", "texts"]), said(4, correction="rate"),
    classified(5, "a slip"), said(5, correction="rats"),
    classified(6, "What do I  PAY"), said(6, correction="card"),
    classified(7, "of another model", model="other@1"), said(7, correction="rate"),
    classified(8, "of another key"), said(8, key="x", correction="rate"),
]  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / ".tunesmith")
    log(workspace, LOG)
    (tmp_path / "rows.csv").write_text("message,topic\nmy card is gone,card\ntell me the rate,rate\n" * 2)
    (tmp_path / "a.yaml").write_text(RECIPE)
    return workspace


def log(workspace: Workspace, records: list[dict[str, Any]]) -> None:
    workspace.requests.mkdir(parents=True, exist_ok=True)
    with (workspace.requests / "2026-11-26.jsonl").open("a") as file:
        # A crash cut the last line.
        file.write("".join(json.dumps(record) + "\n" for record in records) + '{"kind": "requ\n')


def test_corrections_and_approvals_become_rows_and_the_rest_is_counted(shop: Workspace) -> None:
    rows, counts = gather(shop.requests, "topics")
    assert [(row["text"], row["label"], row["feedback"]) for row in rows] == [
        ("my card is lost, mail [EMAIL]", "card", "good"),
        ("What do I  PAY", "card", "correction"),
    ]
    assert dict(counts) == {"no_correction": 1, "several_texts": 1, "unknown_label": 1, "superseded": 1}


def test_conversations_and_translations_become_rows_of_their_tasks(shop: Workspace) -> None:
    turns = [{"role": "user", "content": "Hi"}]
    chat = {"route": "/v1/chat/completions", "request": {"messages": turns}}
    choices = [{"message": {"role": "assistant", "content": "Ho"}}]
    translate = {"route": "/v1/translate", "request": {"input": "Hallo"}}
    hi = [{"text": "Hi"}]
    log(shop, [
        {**classified(1, ""), **chat, "answer": {"model": "m", "choices": choices}, "request_id": "c"},
        {**said(1, correction="Hello."), "id": "c"},
        {**classified(2, ""), **chat, "answer": {"model": "m", "texts": ["Ho"]}, "request_id": "s"},
        {**said(2, rating="good", at=300), "id": "s"},
        {**classified(3, ""), **translate, "answer": {"model": "m", "data": hi}, "request_id": "t"},
        {**said(3, correction="Hello", at=400), "id": "t"},
    ])  # fmt: skip
    rows, counts = gather(shop.requests, "m")
    assert counts == {"superseded": 1}
    assert rows[0]["messages"] == [*turns, {"role": "assistant", "content": "Ho"}]
    assert (rows[1]["source"], rows[1]["target"]) == ("Hallo", "Hello")


def test_a_version_is_made_when_rows_change_and_a_recipe_reads_the_newest(shop: Workspace) -> None:
    file = shop.root.parent / "a.yaml"
    before = planning.make(file, shop)
    assert [path.name for path in before.paths["all"]] == ["rows.csv"]
    first = learning.collect(file, shop).version
    assert (first.number, first.rows, first.new) == (1, 2, 2)
    assert learning.collect(file, shop).version.number == 1
    plan = planning.make(file, shop)
    assert plan.run.id != before.run.id
    _, newest = plan.paths["all"]
    # The recipe's columns have other names, and what a row comes from stays with it.
    rows = [json.loads(line) for line in newest.read_text().splitlines()]
    assert [row["topic"] for row in rows] == ["card", "card"]
    assert all("feedback_id" in row for row in rows)
    versions.note_learned(shop, "topics", 1)
    log(shop, [classified(9, "a new one"), said(9, correction="rate")])
    second = learning.collect(file, shop).version
    assert (second.number, second.rows, second.new) == (2, 3, 1)
    assert first.path.read_text().count("\n") == 2  # versions are never changed


def test_reviewers_refuse_and_mend_rows(shop: Workspace) -> None:
    file, sheet = shop.root.parent / "a.yaml", shop.root.parent / "review.jsonl"
    assert learning.collect(file, shop, only_reviewed=True).version.rows == 0
    assert learning.offer(file, shop, sheet) == 2
    rows = [json.loads(line) for line in sheet.read_text().splitlines()]
    rows[0]["use"], rows[1]["use"], rows[1]["label"] = False, True, "rate"
    sheet.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = learning.collect(file, shop, review=sheet, only_reviewed=True)
    [row] = [json.loads(line) for line in made.version.path.read_text().splitlines()]
    assert (row["label"], made.reviewed, dict(made.left_out)["not_reviewed"]) == ("rate", 2, 1)
    assert "use" not in row
    for line in ("{}", json.dumps({**rows[0], "use": "false"})):
        sheet.write_text(line + "\n")
        with pytest.raises(DataError) as caught:
            learning.collect(file, shop, review=sheet)
        assert caught.value.problems[0].code == "A12"


def test_a_row_that_is_mended_or_refused_after_it_was_learned_is_to_be_learned_again(shop: Workspace) -> None:
    file, sheet = shop.root.parent / "a.yaml", shop.root.parent / "review.jsonl"
    versions.note_learned(shop, "topics", learning.collect(file, shop).version.number)
    assert learning.collect(file, shop).version.new == 0
    learning.offer(file, shop, sheet)
    rows = [json.loads(line) for line in sheet.read_text().splitlines()]
    rows[0]["use"], rows[1]["use"], rows[1]["label"] = False, True, "rate"
    sheet.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert learning.collect(file, shop, review=sheet).version.new == 2


def test_two_that_make_a_version_at_once_make_two(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = ([{"feedback_id": one, "text": one, "label": "card"}] for one in ("r1", "r2"))
    write = durable.write_once

    def late(path: Path, data: bytes) -> None:
        monkeypatch.setattr(durable, "write_once", write)
        assert versions.keep(shop, "topics", other).number == 1
        write(path, data)

    monkeypatch.setattr(durable, "write_once", late)
    made = versions.keep(shop, "topics", mine)
    assert (made.number, json.loads(made.path.read_text())["text"]) == (2, "r1")
    assert json.loads(made.path.with_name("0001.jsonl").read_text())["text"] == "r2"


def test_an_empty_correction_approves_of_nothing(shop: Workspace) -> None:
    log(shop, [classified(9, "bad and no better"), said(9, rating="bad", correction=" ")])
    rows, counts = gather(shop.requests, "topics")
    assert "bad and no better" not in {row["text"] for row in rows}
    assert counts["no_correction"] == 2


def test_a_recipe_that_can_learn_nothing_says_so(shop: Workspace) -> None:
    file = shop.root.parent / "b.yaml"
    file.write_text(RECIPE.replace('[rows.csv, "feedback:topics"]', "rows.csv"))
    with pytest.raises(RecipeError) as caught:
        learning.collect(file, shop)
    assert caught.value.problems[0].code == "A11"
    file.write_text(RECIPE.replace("[rows.csv, ", "[").replace("topics", "nobody"))
    with pytest.raises(NotFoundError) as missing:
        planning.make(file, shop)
    assert missing.value.problems[0].code == "A10"


@pytest.mark.parametrize("name", ["../rows", "/etc", "a/../../b", "..", ""])
def test_feedback_never_leaves_its_folder(shop: Workspace, name: str) -> None:
    file, outside = shop.root.parent / "c.yaml", shop.root / "rows"
    outside.mkdir()
    (outside / "0001.jsonl").write_text('{"feedback_id": "r", "message": "mine", "topic": "card"}\n')
    file.write_text(RECIPE.replace("feedback:topics", f"feedback:{name}"))
    before = sorted(shop.root.parent.rglob("*.jsonl"))
    for attempt in (planning.make, learning.collect):
        with pytest.raises(RecipeError) as caught:
            attempt(file, shop)
        assert caught.value.problems[0].code == "A15"
    assert sorted(shop.root.parent.rglob("*.jsonl")) == before
