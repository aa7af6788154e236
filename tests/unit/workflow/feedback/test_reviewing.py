"""Feedback is reviewed as labels are, by whoever labels, and what was decided there is learned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tunesmith
from tunesmith.core.errors import NotFoundError
from tunesmith.core.store import Store
from tunesmith.core.store.labelling import Decision
from tunesmith.core.workspace import Workspace
from tunesmith.workflow import plan as planning
from tunesmith.workflow.feedback import candidate, learning, reviewing
from tunesmith.workflow.feedback.opinions import gather, names

RECIPE = """task: classify
model: tfidf
data: {source: rows.csv, clean: []}
publish: {name: topics}
"""


def asked(number: int, route: str, wanted: Any, answer: Any, **said: Any) -> list[dict[str, Any]]:
    request = {
        "kind": "request", "at": number, "route": f"/v1/{route}", "request_id": f"r{number}", "id": None,
        "key": "k", "status": 200, "request": {"model": "topics", "input": wanted},
        "answer": {"model": "topics@1", "data": [answer]},
    }  # fmt: skip
    return [request, {"kind": "feedback", "at": 100 + number, "id": f"r{number}", "key": "k", **said}]


def classified(number: int, text: str, **said: Any) -> list[dict[str, Any]]:
    return asked(number, "classify", text, {"label": "card", "probabilities": {"card": 1, "rate": 0}}, **said)


def tagged(number: int, text: str, **said: Any) -> list[dict[str, Any]]:
    return asked(number, "tag", text, {"entities": [{"start": 0, "text": "Ann", "label": "PER"}]}, **said)


def answered(number: int, context: str, **said: Any) -> list[dict[str, Any]]:
    return asked(
        number, "answer", {"question": "Who?", "context": context}, {"text": "Ann", "start": 0}, **said
    )


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / ".tunesmith")


@pytest.fixture
def store(shop: Workspace) -> Iterator[Store]:
    opened = Store(shop.database)
    yield opened
    opened.close()


def log(workspace: Workspace, *records: list[dict[str, Any]]) -> None:
    workspace.requests.mkdir(parents=True, exist_ok=True)
    with (workspace.requests / "2026-11-26.jsonl").open("a") as file:
        file.writelines(json.dumps(record) + "\n" for some in records for record in some)


def decide(store: Store, project: str, item: int, answer: dict[str, Any] | None) -> None:
    kind = "label" if answer is not None else "skip"
    made = Decision(event=f"e{item}", item=item, annotator="ann", kind=kind, answer=answer)
    store.decide(project, [made])


def test_words_that_were_named_or_that_answer_are_found_again_in_what_was_masked(shop: Workspace) -> None:
    log(
        shop,
        tagged(1, "Ann saw Bo, and Bo saw Paris", correction=[
            {"text": "Bo", "label": "PER", "start": 16}, {"text": "Paris", "label": "LOC"}]),
        tagged(2, "Ann left", rating="good"),
        tagged(3, "nobody", correction=[]),
        tagged(4, "Ann", correction=[{"text": "Eve", "label": "PER"}]),
        tagged(5, "Ann and Bo in words", correction="PER: Bo; PER Ann"),
        tagged(9, "Ann is no label", correction="Ann"),
        answered(6, "bob@example.org knows Bo", correction="Bo"),
        answered(7, "Ann did", rating="good"),
        answered(8, "It rained", correction=[]),
    )  # fmt: skip
    rows, counts = gather(shop.requests, "topics")
    spans = [row["spans"] for row in rows if "spans" in row]
    assert spans[0] == [
        {"start": 16, "end": 18, "label": "PER"},
        {"start": 23, "end": 28, "label": "LOC"},
    ]
    ann, bo = ({"start": start, "end": end, "label": "PER"} for start, end in ((0, 3), (8, 10)))
    assert spans[1:] == [[ann], [], [ann, bo]]
    answers = [(row["context"], row["answers"]) for row in rows if "answers" in row]
    assert answers == [
        ("[EMAIL] knows Bo", {"text": ["Bo"], "answer_start": [14]}),
        ("Ann did", {"text": ["Ann"], "answer_start": [0]}),
        ("It rained", {"text": [], "answer_start": []}),
    ]
    assert dict(counts) == {"not_in_text": 2}


def test_what_reviewers_accept_is_learned_as_they_left_it_and_what_they_skip_is_not(
    shop: Workspace, store: Store
) -> None:
    with pytest.raises(NotFoundError, match="A07"):
        reviewing.prepare(store, shop, "topics")
    log(shop, classified(1, "what do I pay", correction="rate"), classified(2, "my card", rating="good"))
    project = reviewing.prepare(store, shop, "topics")
    assert names(shop.requests) == ["topics"]
    assert [label.name for label in project.labels] == ["card", "rate"]
    first, second = store.items(project.name)
    assert (first.suggested[0].by, first.suggested[0].answer) == ("correction", {"label": "rate"})
    decide(store, project.name, 0, {"label": "card"})
    decide(store, project.name, 1, None)
    log(shop, classified(3, "a third", correction="rate"))
    assert reviewing.prepare(store, shop, "topics").labels == project.labels
    assert [item.content["text"] for item in store.items(project.name)][2:] == ["a third"]
    made = learning.of_model("topics", shop, only_reviewed=True)
    [row] = [json.loads(line) for line in made.version.path.read_text().splitlines()]
    assert (row["text"], row["label"], made.reviewed) == ("what do I pay", "card", 2)
    assert learning.of_model("topics", shop).version.rows == 2
    assert second.content["text"] == "my card"


@pytest.mark.parametrize(
    ("make", "text", "answer", "field", "learned"),
    [
        (tagged, "Ann left", {"spans": []}, "spans", []),
        (
            answered, "Ann left Bo", {"answers": [{"start": 9, "text": "Bo"}]}, "answers",
            {"text": ["Bo"], "answer_start": [9]},
        ),
    ],
)  # fmt: skip
def test_marks_are_reviewed_too(
    shop: Workspace, store: Store, make: Any, text: str, answer: Any, field: str, learned: Any
) -> None:
    log(shop, make(1, text, rating="good"))
    project = reviewing.prepare(store, shop, "topics")
    (item,) = store.items(project.name)
    assert item.content["text"] == text
    decide(store, project.name, 0, answer)
    rows, _ = gather(shop.requests, "topics")
    assert reviewing.decided(store, "topics", rows)["r1"][field] == learned


def test_the_next_candidate_is_trained_by_the_recipe_of_its_release(
    shop: Workspace, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shop.root.parent
    monkeypatch.chdir(folder)
    said = {"card": "my card number %d is lost", "rate": "tell me the rate of %d"}
    lines = [f"{text % n},{label}" for n in range(30) for label, text in said.items()]
    (folder / "rows.csv").write_text("\n".join(["text,label", *lines]))
    (folder / "a.yaml").write_text(RECIPE)
    with pytest.raises(NotFoundError, match="C07"):
        candidate.recipe_of(store, shop, "topics")
    tunesmith.run("a.yaml")
    log(shop, classified(1, "what do I pay", correction="rate"))
    learning.of_model("topics", shop)
    recipe = candidate.recipe_of(store, shop, "topics")
    assert [entry.path for entry in recipe.data.source["all"]][1:] == ["feedback:topics"]
    assert recipe.eval.gate["accuracy"].not_worse_than == "production"
    assert recipe.lock is None
    plan = planning.of(recipe, "b", shop)
    assert [path.name for path in plan.paths["all"]] == ["rows.csv", "0001.jsonl"]
