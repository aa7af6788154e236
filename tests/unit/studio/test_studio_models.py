"""Models, releases, attention, deployments and keys as the page gets them, on a real small model."""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.core.store import Key
from tunesmith.models.loading import load
from tunesmith.models.resolve import Resolved
from tunesmith.serve.deployment import deploy
from tunesmith.serve.served import Deployment
from tunesmith.studio import room
from tunesmith.studio.attention import glass
from tunesmith.studio.state import Studio
from tunesmith.workflow import releases

STORY = "Once upon a time there was a little girl"


@pytest.fixture(scope="module")
def stories(studio: Studio, shared_data: Path) -> str:
    """A story teller in two versions, which are the same model under another name."""
    folder = shared_data / "weights" / "stories260K-hf"
    first = releases.add(str(folder), studio.workspace, name="stories")
    studio.store.publish(
        "stories", digest="f" * 64, folder=Path(first.folder), task="", lineage={"run": "r1"}
    )
    return first.label


def deployed(folder: Path, *, name: str, aliases: Sequence[str], **_engine: Any) -> Deployment:
    """As `deploy_apart`, in this process: another one takes seconds to begin, and has tests of its own."""
    return deploy(load(Resolved(name=name, folder=folder)), name=name, aliases=aliases)


@pytest.fixture(scope="module")
def served(admin: httpx.Client, stories: str) -> Iterator[str]:
    """The first version, loaded through the API."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tunesmith.workflow.serving.deploy_apart", deployed)
        assert admin.post("/api/deployments", json={"model": stories}).json()["state"] == "loading"
        end = time.monotonic() + 30
        while not (found := admin.get("/api/deployments").json())["deployments"]:
            assert time.monotonic() < end, found
            time.sleep(0.02)
        yield stories


def code(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


def test_models_are_listed_with_what_fits_here_and_filtered(admin: httpx.Client, stories: str) -> None:
    found = admin.get("/api/models").json()
    own = {row["name"]: row for row in found["releases"]}
    assert own[stories]["family"] == "llama"
    assert own[stories]["fit"]["best"] == "full"
    assert {"minilm", "tiny-zh-en"} <= {row["name"] for row in found["catalogue"]}
    small = admin.get("/api/models", params={"task": "classify", "size": "<50M"}).json()
    assert not small["releases"]
    assert all("classify" in row["tasks"] for row in small["catalogue"])
    assert code(admin.get("/api/models", params={"size": "huge"})) == "M60"


def test_a_model_is_described_with_its_prompt_and_its_tokens(admin: httpx.Client, stories: str) -> None:
    page = admin.get(f"/api/models/{stories}").json()
    assert (page["layers"], page["kind"]) == (5, "language")
    assert page["contract"]["digest"]
    text = "Lily 包裹"
    found = admin.post("/api/tokens", json={"model": stories, "text": text}).json()["tokens"]
    assert [token["special"] for token in found[:2]] == [True, False]
    assert "".join(token["text"] for token in found[1:] if "\\x" not in token["text"]).strip() == "Lily"
    assert found[-1]["end"] == len(text)


@pytest.mark.parametrize("name", ["/etc", "../../", "hosted:x", "nobody/nothing", "stories@9"])
def test_only_releases_and_the_catalogue_have_names(admin: httpx.Client, name: str) -> None:
    for answer in (
        admin.get("/api/models/" + name.replace("/", "%2F")),
        admin.post("/api/tokens", json={"model": name, "text": "a"}),
        admin.post("/api/attention", json={"model": name, "text": "a"}),
        admin.post("/api/deployments", json={"model": name}),
    ):
        assert (answer.status_code, code(answer)) == (404, "M01")


def test_an_alias_moves_for_a_reason_from_where_it_was_seen_and_back(
    admin: httpx.Client, stories: str, studio: Studio
) -> None:
    def move(verb: str, **said: Any) -> httpx.Response:
        return admin.post(f"/api/releases/stories/{verb}", json=said)

    assert code(move("promote", version=1, expected=None)) == "C27"
    assert move("promote", version=1, expected=None, reason="the first").json()["previous"] is None
    refused = move("promote", version=2, expected=None, reason="later")
    assert (refused.status_code, code(refused)) == (409, "C08")
    assert studio.store.alias_version("stories", "production") == 1
    assert move("promote", version=2, expected=1, reason="better").json()["version"] == 2
    assert code(move("rollback", expected=1)) == "C08"
    assert move("rollback", expected=2, reason="worse").json()["version"] == 1
    said = admin.get("/api/releases/stories").json()
    assert [move["reason"] for move in said["moves"]] == [
        "the first (admin)",
        "better (admin)",
        "worse (admin)",
    ]
    assert [row["aliases"] for row in said["versions"]] == [["production"], []]


def test_a_layer_of_attention_is_bytes_whose_rows_are_shared_out(admin: httpx.Client, stories: str) -> None:
    asked = {"model": stories, "text": STORY, "layer": 2}
    found = admin.post("/api/attention", json=asked).json()
    size = len(found["queries"])
    maps = np.frombuffer(base64.b64decode(found["weights"]), np.uint8).reshape(found["heads"], size, size)
    assert np.abs(maps.sum(-1, dtype=int) - 255).max() <= size  # each rounded by half at most
    assert not np.triu(maps, 1).any()
    assert found["kinds"] == ["self"]
    assert not found["cut"]
    long = admin.post("/api/attention", json={"model": stories, "text": f"{STORY}. " * 40}).json()
    assert (len(long["keys"]), long["cut"]) == (long["most"], True)
    assert code(admin.post("/api/attention", json={**asked, "layer": 99})) == "W56"
    assert code(admin.post("/api/attention", json={**asked, "kind": "cross"})) == "W56"


@pytest.mark.parametrize(
    ("command", "looks", "expected"),
    [("raise SystemExit(3)", 60.0, "W35"), ("import time; time.sleep(60)", 0.2, "W34")],
)
def test_a_process_that_looks_into_a_model_dies_alone(
    studio: Studio, stories: str, monkeypatch: pytest.MonkeyPatch, command: str, looks: float, expected: str
) -> None:
    looker = glass.Glass(studio.workspace, looks=looks)
    with monkeypatch.context() as patched:
        patched.setattr(glass, "COMMAND", (sys.executable, "-c", command))
        with pytest.raises(TunesmithError, match=expected):
            looker.look(stories, STORY, None, 0)
    looker.close()


def test_only_so_many_wait_to_look_and_a_server_that_ends_waits_for_none_of_them(
    studio: Studio, stories: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    looks = f"import time; open({str(tmp_path / 'looks')!r}, 'w'); time.sleep(60)"
    monkeypatch.setattr(glass, "COMMAND", (sys.executable, "-c", looks))
    monkeypatch.setattr(glass, "_SEATS", 1)
    looker = glass.Glass(studio.workspace)
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(looker.look, stories, STORY, None, 0)
        while not (tmp_path / "looks").exists():
            assert not looking.done()
            time.sleep(0.01)
        with pytest.raises(TunesmithError, match="S03"):
            looker.look(stories, STORY, None, 0)
        looker.close()
        with pytest.raises(TunesmithError, match="W35"):
            looking.result(5)
    with pytest.raises(TunesmithError, match="S07"):
        looker.look(stories, STORY, None, 0)


def test_nobody_looks_into_a_model_that_does_not_fit(
    studio: Studio, stories: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "available_memory_bytes", lambda: 1000)
    with pytest.raises(TunesmithError, match="W57"):
        glass.Glass(studio.workspace).look(stories, STORY, None, 0)


def test_a_loaded_model_answers_is_measured_and_shares_its_requests(
    admin: httpx.Client, served: str, studio: Studio
) -> None:
    asked = {"model": "stories", "prompt": STORY, "max_tokens": 5, "temperature": 0}
    assert admin.post("/v1/completions", json=asked).status_code == 200
    assert admin.post("/v1/completions", json={**asked, "max_tokens": 100_000}).status_code == 400
    row = admin.get("/api/deployments").json()["deployments"][0]
    assert (row["name"], row["task"]) == ("stories", "generate")
    minute = row["minute"]
    assert (minute["requests"], minute["failed"], minute["new_tokens"]) == (2, 1, 5)
    assert 0 < minute["first_token_p50"] <= minute["p50"] <= minute["p95"]
    shared = admin.put("/api/shares", json={"name": "stories", "canary": served, "part": 0.25}).json()
    assert [share["part"] for share in shared] == [0.25]
    assert admin.put("/api/shares", json={"name": "stories", "canary": served, "part": 0}).json() == []
    assert code(admin.put("/api/shares", json={"name": "x", "canary": "y", "part": 1})) == "model_not_found"
    assert code(admin.post("/api/deployments", json={"model": served})) == "S24"


def test_what_cannot_be_loaded_says_why_until_it_is_dismissed(admin: httpx.Client, stories: str) -> None:
    assert admin.post("/api/deployments", json={"model": "tfidf"}).status_code == 202
    end = time.monotonic() + 20
    while (row := admin.get("/api/deployments").json()["loading"][0])["state"] == "loading":
        assert time.monotonic() < end
        time.sleep(0.02)
    assert (row["state"], row["code"]) == ("failed", "M13")
    assert row["message"]
    assert admin.delete("/api/deployments/tfidf").status_code == 204
    assert admin.get("/api/deployments").json()["loading"] == []


def test_a_key_is_shown_once_counted_and_worthless_when_it_is_over(
    admin: httpx.Client, served: str, url: str, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = admin.post("/api/keys", json={"name": "<b>app</b>", "scopes": ["serve"], "days": 1}).json()
    listed = admin.get("/api/keys")
    assert made["key"].split("_", 2)[2] not in listed.text
    headers = {"Authorization": f"Bearer {made['key']}"}
    asked = {"model": served, "prompt": "a", "max_tokens": 1}
    for _ in range(3):
        assert httpx.post(f"{url}/v1/completions", json=asked, headers=headers).status_code == 200

    def row() -> dict[str, Any]:
        rows = admin.get("/api/keys").json()["keys"]
        return next(one for one in rows if one["id"] == made["id"])

    end = time.monotonic() + 2  # what the page promises
    while row()["requests"] < 3:
        assert time.monotonic() < end, row()
        time.sleep(0.05)
    assert row()["used"] > row()["created"]
    assert row()["tokens_today"] >= 3
    assert isinstance(studio.store.find_key(made["key"]), Key)
    later = time.time() + 2 * 86400
    with monkeypatch.context() as patched:
        patched.setattr("tunesmith.core.store.keys.time.time", lambda: later)
        assert studio.store.find_key(made["key"]) is None
    assert admin.delete(f"/api/keys/{made['id']}").status_code == 204
    assert not row()["valid"]
    assert code(admin.delete("/api/keys/nobody")) == "C10"


def test_kept_requests_are_told_newest_first_with_opinions(studio: Studio, admin: httpx.Client) -> None:
    assert admin.get("/api/requests").json() == {"on": False, "requests": []}
    folder = studio.workspace.requests
    folder.mkdir()
    asked = {"kind": "request", "key": "", "seconds": 0.1}
    chat = {"model": "m", "messages": [{"role": "user", "content": "<img src=x>"}]}
    answer = {"id": "c1", "texts": ["hello"]}
    wrong = {"error": {"message": "no"}}
    records = [
        {**asked, "at": 1, "route": "/v1/chat/completions", "request_id": "a", "id": "c1", "status": 200,
         "request": chat, "answer": answer},
        {"kind": "feedback", "at": 2, "id": "c1", "key": "", "rating": "bad", "correction": "hi"},
        {**asked, "at": 3, "route": "/v1/classify", "request_id": "b", "id": None, "status": 400,
         "request": {"model": "n", "input": "x"}, "answer": wrong},
    ]  # fmt: skip
    lines = [*map(json.dumps, records), '{"kind": "requ']
    (folder / "2026-01-01.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = admin.get("/api/requests").json()
    assert [(row["model"], row["asked"], row["answered"]) for row in found["requests"]] == [
        ("n", "x", "no"), ("m", "<img src=x>", "hello"),
    ]  # fmt: skip
    assert found["requests"][1]["feedback"] == [{"rating": "bad", "correction": "hi"}]
    assert len(admin.get("/api/requests", params={"model": "m"}).json()["requests"]) == 1
