"""Labelling over HTTP: what the page does, by role, with every mistake told."""

from __future__ import annotations

import httpx
import pytest

from tunesmith.studio.datasets import library

ROWS = "text,label\nwhere is my card 😀,card\n今天的汇率是多少,rate\nmy card is late,card\n"


@pytest.fixture(scope="module")
def project(admin: httpx.Client, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("rows") / "意图.csv"
    file.write_text(ROWS, "utf-8")
    made = admin.post("/api/labelling", json={"files": [str(file)], "overlap": 1.0, "guideline": "小心"})
    assert made.status_code == 200, made.text
    assert [label["key"] for label in made.json()["labels"]] == ["1", "2"]
    return f"/api/labelling/{made.json()['name']}"


def decision(event: str, item: int, label: str = "card", **more: object) -> dict[str, object]:
    return {"event": f"{event}-000000", "item": item, "answer": {"label": label}, **more}


def test_items_are_given_decided_about_undone_and_settled(project, admin, sign_in):
    ann, bob = sign_in("annotator"), sign_in("engineer")
    (first, *_) = ann.post(f"{project}/next", json={"count": 2}).json()["items"]
    assert first["content"] == {"text": "where is my card 😀"}
    assert first["suggested"][0]["answer"] == {"label": "card"}
    sent = {"decisions": [decision("a0", 0), decision("a0", 0), decision("a1", 1, "rate", seconds=1.5)]}
    assert ann.post(f"{project}/decisions", json=sent).json()["kept"] == 2
    assert ann.post(f"{project}/decisions", json=sent).json()["kept"] == 0
    undo = {"event": "u1-000000", "item": 1, "kind": "undo", "undoes": "a1-000000"}
    assert ann.post(f"{project}/decisions", json={"decisions": [undo]}).json()["progress"]["by"] == {
        "annotator": 1
    }
    bob.post(f"{project}/decisions", json={"decisions": [decision("b0", 0, "rate")]})
    disputed = bob.get(f"{project}/items", params={"show": "disputed"}).json()
    assert [one["annotator"] for one in disputed["items"][0]["decisions"]] == ["annotator", "engineer"]
    settle = {"decisions": [decision("s0", 0, kind="settle")]}
    assert ann.post(f"{project}/decisions", json=settle).status_code == 403
    assert bob.post(f"{project}/decisions", json=settle).json()["progress"]["settled"] == 1
    assert bob.get(f"{project}/items", params={"show": "disputed"}).json()["total"] == 0
    assert ann.get(f"{project}/items", params={"show": "mine"}).json()["total"] == 1
    found = bob.get(f"{project}/quality").json()
    assert found["quality"]["overlapping"] == 1
    assert found["stopping"]["advice"] == "too_few"
    exported = bob.get(f"{project}/export", params={"layout": "label_studio", "suffix": "json"})
    assert "where is my card 😀" in exported.text


def test_labels_and_guideline_change_and_a_project_goes(admin, project):
    labels = [{"name": "card", "key": "c"}, {"name": "rate", "key": "r"}, {"name": "新", "key": "n"}]
    changed = admin.put(project, json={"labels": labels, "guideline": "x", "order": "mixed"}).json()
    assert ([one["name"] for one in changed["labels"]], changed["order"]) == (["card", "rate", "新"], "mixed")
    assert admin.get("/api/labelling").json()["projects"][0]["name"] == "意图"
    admin.post("/api/labelling", json={"files": [changed["source"]], "name": "二"})
    assert admin.delete("/api/labelling/二").status_code == 200


def test_an_order_that_follows_a_model_is_refused_where_none_learns(admin, tmp_path):
    (tmp_path / "stars.txt").write_text("one\ntwo\n", "utf-8")
    made = {"files": [str(tmp_path / "stars.txt")], "name": "stars", "task": "rating"}
    assert admin.post("/api/labelling", json=made).status_code == 200
    refused = admin.put("/api/labelling/stars", json={"order": "mixed"})
    assert refused.json()["error"]["code"] == "L15"
    assert admin.get("/api/labelling/stars").json()["order"] == "given"
    admin.delete("/api/labelling/stars")


def test_a_project_is_made_of_a_data_set_with_its_columns(admin, studio, tmp_path):
    (tmp_path / "Fragen.csv").write_text("say,topic,note\nhi,a,x\nho,b,y\n", "utf-8")
    fields = {"text": "say", "label": "topic"}
    origin = library.Origin(path=tmp_path / "Fragen.csv", task="classify", fields=fields)
    taken = library.take_in(studio.workspace, origin)
    made = admin.post("/api/labelling", json={"dataset": taken.id}).json()
    assert (made["name"], [one["name"] for one in made["labels"]]) == ("Fragen", ["a", "b"])
    for wish in ({}, {"dataset": taken.id, "files": ["x.csv"]}):
        assert admin.post("/api/labelling", json=wish).json()["error"]["code"] == "L16"
    admin.delete("/api/labelling/Fragen")


@pytest.mark.parametrize(
    ("sent", "code", "status"),
    [
        (decision("x0", 0, "other"), "L05", 400),
        (decision("x0", 99), "L04", 404),
        ({**decision("x0", 0), "answer": {"labels": []}}, "L07", 400),
        ({**decision("x0", 0), "event": "x"}, None, 400),
    ],
)
def test_what_cannot_be_decided_is_refused_and_not_kept(project, sign_in, sent, code, status):
    answer = sign_in("annotator").post(f"{project}/decisions", json={"decisions": [sent]})
    assert answer.status_code == status
    assert code is None or answer.json()["error"]["code"] == code


def test_a_viewer_sees_and_changes_nothing(project, sign_in):
    viewer = sign_in("viewer")
    assert viewer.get(project, headers={"X-Language": "zh"}).json()["guideline"]
    assert viewer.post(f"{project}/next", json={}).status_code == 403
    assert viewer.get("/api/labelling/none", headers={"X-Language": "zh"}).json()["error"]["code"] == "L01"
