"""Feedback in the Studio: told by model, reviewed as a labelling project, learned by a job."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

import tunesmith
from tunesmith.core.errors import NotFoundError
from tunesmith.studio.jobs import training
from tunesmith.studio.jobs.context import Context
from tunesmith.studio.state import Studio
from tunesmith.workflow import promotion

SAID = {"card": "my card number %d is lost", "rate": "tell me the rate of %d"}


@pytest.fixture(scope="module")
def topics(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A model in production, and two opinions on what it said."""
    folder = tmp_path_factory.mktemp("rows")
    lines = [f"{text % n},{label}" for n in range(30) for label, text in SAID.items()]
    (folder / "rows.csv").write_text("\n".join(["text,label", *lines]))
    recipe = tunesmith.Recipe(
        task="classify", model="tfidf", publish={"name": "topics"},
        data={"source": str(folder / "rows.csv"), "clean": []},
    )  # fmt: skip
    release = tunesmith.run(recipe, workspace=studio.workspace)["release"]
    promotion.promote(studio.store, release, "production", reason="the first")
    data = [{"label": "card", "probabilities": {"card": 0.6, "rate": 0.4}}]
    records = [
        record
        for number, text in enumerate(["what do I pay", "the card of mine"])
        for record in (
            {
                "kind": "request", "at": number, "route": "/v1/classify", "request_id": f"r{number}",
                "id": None, "key": "k", "request": {"model": "topics", "input": text},
                "answer": {"model": release, "data": data},
            },
            {"kind": "feedback", "at": 9 + number, "id": f"r{number}", "key": "k", "correction": "rate"},
        )
    ]  # fmt: skip
    studio.workspace.requests.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(record) for record in records]
    (studio.workspace.requests / "2026-11-26.jsonl").write_text("\n".join(lines) + "\n")
    return studio


def learn(studio: Studio, folder: Path, *, promote: bool = False) -> dict[str, object]:
    context = Context(workspace=studio.workspace, folder=folder, lang="en", by="boss", stop=lambda: False)
    return training.learn({"name": "topics", "only_reviewed": True, "promote": promote}, context)


def test_what_was_accepted_in_the_review_is_learned_and_put_into_production(
    topics: Studio, admin: httpx.Client, tmp_path: Path
) -> None:
    (told,) = admin.get("/api/feedback").json()["models"]
    assert (told["name"], told["rows"], told["reviewed"], told["new"]) == ("topics", 2, 0, 2)
    with pytest.raises(NotFoundError, match="A09"):
        learn(topics, tmp_path)
    name = admin.post("/api/feedback/topics/review").json()["name"]
    items = admin.post(f"/api/labelling/{name}/next", json={"count": 9}).json()["items"]
    assert [item["suggested"][0]["answer"] for item in items] == [{"label": "rate"}] * 2
    made = [
        {"event": "accepted-0", "item": 0, "answer": {"label": "rate"}},
        {"event": "skipped-1", "item": 1, "kind": "skip"},
    ]
    assert admin.post(f"/api/labelling/{name}/decisions", json={"decisions": made}).json()["kept"] == 2
    assert admin.get("/api/feedback").json()["models"][0]["reviewed"] == 2
    result = learn(topics, tmp_path, promote=True)
    assert (result["release"], result["feedback"]["rows"]) == ("topics@2", 1)
    found = topics.store.find("topics@production")
    assert found is not None
    assert found.version == 2
    assert admin.get("/api/feedback").json()["models"][0]["new"] == 0


def test_only_engineers_review_and_nobody_what_nobody_said(admin: httpx.Client, sign_in) -> None:
    assert sign_in("annotator").post("/api/feedback/topics/review").status_code == 403
    assert admin.post("/api/feedback/nobody/review").json()["error"]["code"] == "A07"
