"""Data sets: uploaded within limits, recognised, read from any place, cleaned, compared; their recipes."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tunesmith.core.errors import TunesmithError, UsageError
from tunesmith.serve.policies import Policy
from tunesmith.studio import app as studio_app
from tunesmith.studio.datasets import library
from tunesmith.studio.jobs import importing, looking
from tunesmith.studio.jobs.context import Context
from tunesmith.studio.jobs.wishes import ImportJob, OverlapJob
from tunesmith.studio.state import Studio
from tunesmith.studio.uploads import safe_name

ROWS = [
    ("the parcel is late", "delivery"), ("<b>where</b> is my order?", "delivery"),
    ("charged twice this month", "billing"), ("refund me please", "billing"),
    ("the parcel is late", "delivery"), ("cannot log in any more", "account"),
]  # fmt: skip


def csv(times: int = 1) -> bytes:
    rows = [f"{text} {i},{label}" for i in range(times) for text, label in ROWS]
    return "\n".join(["message,topic", *rows, ""]).encode()


Bring = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def bring(studio: Studio, admin: httpx.Client) -> Bring:
    """Hands a file over and does the job of importing it here: another process takes a while to begin."""

    def brought(content: bytes, name: str = "tickets.csv") -> dict[str, Any]:
        upload = admin.post("/api/uploads", params={"name": name}, content=content)
        assert upload.status_code == 201, upload.text
        wishes = ImportJob(kind="import", upload=upload.json()["id"]).model_dump()
        made = importing.take_in(wishes, context(studio))
        found: dict[str, Any] = admin.get(f"/api/datasets/{made['dataset']}").json()
        return found

    return brought


def context(studio: Studio) -> Context:
    folder = studio.workspace.root / "jobs" / secrets.token_hex(4)
    folder.mkdir(parents=True)
    return Context(workspace=studio.workspace, folder=folder, lang="en", by="admin", stop=lambda: False)


@pytest.fixture(scope="module")
def tickets(bring: Bring) -> dict[str, Any]:
    return bring(csv())


def test_a_file_is_recognised_when_it_comes_in(studio: Studio, tickets: dict[str, Any]) -> None:
    assert tickets["mapping"] == {"text": "message", "label": "topic"}
    assert (tickets["task"], tickets["rows"], tickets["format"]) == ("classify", 6, "csv")
    assert tickets["name"] == "tickets"
    assert Path(tickets["path"]).is_relative_to(studio.workspace.root)
    assert not list((studio.workspace.root / "uploads").glob("*/*"))


def test_an_import_is_a_job_that_leads_to_the_data_set(admin: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "tickets.csv").write_bytes(csv())
    asked = admin.post("/api/jobs", json={"kind": "import", "path": str(tmp_path / "tickets.csv")}).json()
    end = time.monotonic() + 120
    while (job := admin.get(f"/api/jobs/{asked['id']}").json())["status"] in ("queued", "running"):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)
    assert (job["status"], job["title"], job["progress"]) == ("finished", "tickets.csv", 1)
    made = admin.get(f"/api/datasets/{job['result']['dataset']}").json()
    assert (made["id"], made["rows"], made["by"]) == (job["subject"], 6, "admin")


def test_a_file_that_nobody_understands_is_still_there_to_look_at(admin: httpx.Client, bring: Bring) -> None:
    made = bring(b"a,b\n1,2\n3,4\n", "numbers.csv")
    assert (made["rows"], made["shape"], made["task"]) == (2, None, None)
    assert made["problems"][0]["hint"]
    zh = admin.get(f"/api/datasets/{made['id']}", headers={"X-Language": "zh"}).json()
    assert zh["problems"][0]["message"] != made["problems"][0]["message"]
    mended = admin.put(
        f"/api/datasets/{made['id']}", json={"task": "score", "fields": {"text": "a", "score": "b"}}
    )
    assert mended.json()["mapping"] == {"text": "a", "score": "b"}
    wrong = admin.put(f"/api/datasets/{made['id']}", json={"task": "score", "fields": {"text": "zzz"}})
    assert wrong.status_code == 400
    assert admin.delete(f"/api/datasets/{made['id']}").status_code == 204
    assert admin.get(f"/api/datasets/{made['id']}").status_code == 404


@pytest.mark.parametrize("where", [{}, {"upload": "x", "path": "y"}, {"hub": "a/b", "path": "y"}])
def test_an_import_says_once_where_the_rows_are(admin: httpx.Client, where: dict[str, str]) -> None:
    refused = admin.post("/api/jobs", json={"kind": "import", **where})
    assert refused.status_code == 400
    assert "`upload`, `path` and `hub`" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("where", "code"),
    [({"upload": "../../etc"}, "W11"), ({"path": "/nowhere.csv"}, "D01"), ({"hub": "no/such"}, "W31")],
)
def test_what_cannot_be_imported_says_why(studio: Studio, where: dict[str, str], code: str) -> None:
    wishes = ImportJob(kind="import", **where).model_dump()  # type: ignore[arg-type]
    with pytest.raises(TunesmithError, match=code):
        importing.take_in(wishes, context(studio))
    assert not list((studio.workspace.root / "datasets").glob(".*"))


def test_a_folder_of_files_is_one_data_set_with_all_rows_and_columns(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv())
    (tmp_path / "b.jsonl").write_text('{"message": "hello", "topic": "other", "when": 3}\n', "utf-8")
    (tmp_path / "README.md").write_text("no rows", "utf-8")
    around = context(studio)
    wishes = ImportJob(kind="import", path=str(tmp_path), name="both").model_dump()
    made = library.find(studio.workspace, importing.take_in(wishes, around)["dataset"])
    assert (made.rows, made.columns, made.path) == (7, ["message", "topic", "when"], str(tmp_path))
    assert (made.task, around.progress) == ("classify", 0.99)
    assert made.section().shape == "labelled"


def test_a_page_of_many_rows_is_read_from_any_place(admin: httpx.Client, bring: Bring) -> None:
    made = bring(csv(30_000), "many.csv")
    assert made["rows"] == 180_000
    path = f"/api/datasets/{made['id']}/rows"
    last = admin.get(path, params={"offset": 179_998, "limit": 500}).json()
    assert [row["line"] for row in last["rows"]] == [180_000, 180_001]
    assert last["rows"][1]["cells"] == {"message": "cannot log in any more 29999", "topic": "account"}
    over = admin.get(path, params={"offset": 99_990, "limit": 20}).json()["rows"]
    assert [row["line"] for row in over] == list(range(99_992, 100_012))
    found = admin.get(path, params={"search": "LOG IN ANY MORE 2999", "offset": 1, "limit": 2}).json()
    assert found["total"] == 11
    assert [row["cells"]["message"] for row in found["rows"]] == [
        "cannot log in any more 29990", "cannot log in any more 29991",
    ]  # fmt: skip
    assert admin.get(path, params={"search": "nobody says this"}).json() == {"total": 0, "rows": []}
    assert admin.get(path, params={"limit": 501}).status_code == 400
    assert admin.get(path, params={"offset": -1}).status_code == 400


def test_an_upload_has_limits_and_leaves_nothing_behind(
    studio: Studio, admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**10, 10**10, 1000))  # type: ignore[attr-defined]
    full = admin.post("/api/uploads", params={"name": "x.csv"}, content=b"a,b\n")
    assert full.json()["error"]["code"] == "no_room"
    assert not list((studio.workspace.root / "uploads").glob("*/*"))


def test_a_body_in_pieces_may_not_grow_past_its_limit(
    admin: httpx.Client, monkeypatch: pytest.MonkeyPatch, studio: Studio
) -> None:
    from starlette.testclient import TestClient

    small = {
        **studio_app.POLICIES,
        ("POST", "/api/uploads"): Policy("session", "studio", "engineer", body=100),
    }
    monkeypatch.setattr(studio_app, "POLICIES", small)
    secret = studio.store.create_key("k", ["studio"])[1]
    client = TestClient(studio_app.create_studio(Studio.over(studio.workspace)), base_url="http://localhost")
    headers = {"Authorization": f"Bearer {secret}"}
    pieces = (b"x" * 30 for _ in range(9))
    got = client.post("/api/uploads", params={"name": "x.csv"}, content=pieces, headers=headers)
    assert got.status_code == 413
    assert not list((studio.workspace.root / "uploads").glob("*/*"))


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        (r"C:\x\数据.csv", "数据.csv"),
        ("a\0b\n.csv", "ab.csv"),
        (" .hidden ", "hidden"),
    ],
)
def test_names_of_files_lead_nowhere(given: str, safe: str) -> None:
    assert safe_name(given) == safe


def test_a_long_chinese_name_fits_a_file_system() -> None:
    name = safe_name("数据" * 90 + ".csv")
    assert name.endswith("数据.csv")
    assert len(name.encode()) <= 180


@pytest.mark.parametrize("name", ["about.json", "rows"])
def test_a_file_keeps_its_rows_whatever_it_is_called(admin: httpx.Client, bring: Bring, name: str) -> None:
    content = b'{"text": "good", "label": "a"}\n{"text": "bad", "label": "b"}\n'
    made = bring(content, name)
    assert Path(made["path"]).read_bytes() == content
    assert admin.get(f"/api/datasets/{made['id']}").json()["name"] == made["name"]


@pytest.mark.parametrize("given", ["..", "/", " . ", "a/.."])
def test_what_is_no_name_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="W10"):
        safe_name(given)


def test_cleaning_is_shown_before_it_is_done(admin: httpx.Client, tickets: dict[str, Any]) -> None:
    path = f"/api/datasets/{tickets['id']}/cleaning"
    effects = admin.post(path, json={"clean": ["strip_html", "dedup"]}).json()["effects"]
    assert [effect["cleaner"] for effect in effects] == ["strip_html", "dedup"]
    changed = effects[0]["rows"][0]
    assert changed["before"].startswith("<b>where</b>")
    assert changed["after"].startswith("where is")
    assert effects[1]["rows"][0]["after"] is None
    assert admin.post(path, json={"clean": ["nonsense"]}).json()["error"]["message"]


def test_cleaning_makes_a_new_data_set_that_knows_its_parent(
    studio: Studio, admin: httpx.Client, tickets: dict[str, Any]
) -> None:
    wishes = {"dataset": tickets["id"], "clean": ["strip_html"]}
    done = looking.clean(wishes, context(studio))
    made = library.find(studio.workspace, done["dataset"])
    assert (made.parent, made.rows, made.task) == (tickets["id"], 6, "classify")
    assert "<b>" not in Path(made.path).read_text("utf-8")
    again = looking.clean({"dataset": made.id, "clean": [{"name": "dedup"}]}, context(studio))
    for one in (tickets["id"], made.id, again["dataset"]):
        versions = admin.get(f"/api/datasets/{one}/versions").json()["versions"]
        assert [version["id"] for version in versions] == [tickets["id"], made.id, again["dataset"]]
    assert [(version["clean"], version["change"]) for version in versions[:2]] == [
        ([], None), (["strip_html"], 0),
    ]  # fmt: skip
    assert (versions[2]["clean"], versions[2]["change"], versions[2]["dropped"]) == (
        ["dedup"], -1, {"duplicate": 1},
    )  # fmt: skip
    library.remove(studio.workspace, library.find(studio.workspace, made.id))
    alone = admin.get(f"/api/datasets/{again['dataset']}/versions").json()["versions"]
    assert [(version["parent"], version["change"]) for version in alone] == [(made.id, None)]


def test_what_another_data_set_repeats_is_found(
    studio: Studio, admin: httpx.Client, bring: Bring, tickets: dict[str, Any]
) -> None:
    other = bring(
        b"message,topic\nthe parcel is late 0,delivery\nsomething else entirely,account\n", "test.csv"
    )
    path, wishes = f"/api/datasets/{tickets['id']}/overlap", {"dataset": tickets["id"], "other": other["id"]}
    assert admin.get(path, params={"other": other["id"]}).json() == {"overlap": None}
    done = looking.overlap(OverlapJob(kind="overlap", **wishes).model_dump(), context(studio))
    assert (done["dataset"], done["repeated"]) == (tickets["id"], 1)
    found = admin.get(path, params={"other": other["id"]}).json()["overlap"]
    assert found["rows"] == {"train": 6, "test": 2}
    assert (found["repeated"], found["exact"]) == (1, 1)
    assert found["pairs"][0]["other"] == {"file": "test.csv", "line": 2, "text": "the parcel is late 0"}


def test_a_recipe_is_proposed_checked_and_said_in_three_languages(
    admin: httpx.Client, tickets: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed = admin.post("/api/recipes/proposal", json={"dataset": tickets["id"]}).json()
    assert proposed["task"] == "classify"
    values = proposed["values"]
    assert values["data"]["source"] == tickets["path"]
    values["model"] = "tfidf"
    checked = admin.post("/api/recipes/check", json={"values": values}).json()
    assert checked == {"ok": True, "problems": [], "values": values}
    wrong = admin.post("/api/recipes/check", json={"values": {**values, "task": "clasify"}}).json()
    assert not wrong["ok"]
    assert wrong["problems"][0]["field"] == "task"
    typed = admin.post("/api/recipes/check", json={"yaml": "recipe: [1"}).json()
    assert typed["problems"][0]["code"] == "R02"

    words = admin.post("/api/recipes/show", json={"values": values, "name": "tickets"}).json()
    again = admin.post("/api/recipes/check", json={"yaml": words["yaml"]}).json()
    assert again["values"] == values
    assert "tunesmith run tickets.yaml" in words["cli"]
    called: list[Any] = []
    monkeypatch.setattr("tunesmith.run", lambda recipe, name: called.append(recipe) or {"scores": {}})
    exec(words["python"], {})  # noqa: S102
    assert called[0].data.source["all"][0].path == tickets["path"]


def test_the_form_knows_every_setting_of_every_component(admin: httpx.Client) -> None:
    found = admin.get("/api/recipes/schema").json()
    assert found["components"]["train.loss"]["focal"]["settings"]["properties"]["gamma"]["default"] == 2.0
    assert found["tasks"]["classify"]["shape"] == "labelled"
    assert "train" in found["recipe"]["properties"]


def test_drafts_are_kept_for_who_wrote_them(
    admin: httpx.Client, sign_in: Callable[[str], httpx.Client]
) -> None:
    assert admin.get("/api/drafts/train").json() == {"content": None}
    content = {"step": 2, "values": {"task": "classify"}}
    assert admin.put("/api/drafts/train", json={"content": content}).status_code == 200
    assert sign_in("admin").get("/api/drafts/train").json() == {"content": content}
    assert sign_in("viewer").get("/api/drafts/train").json() == {"content": None}
    assert admin.put("/api/drafts/..%2f..%2fx", json={"content": {}}).status_code in (400, 404, 405)
    assert json.loads((admin.get("/api/drafts/train")).text)
