"""Runs as their routes tell of them, over two real ones."""

from __future__ import annotations

import csv
import io

import pytest


def ids(trained):
    return [run.id for run in trained]


def test_the_list_has_status_figure_and_course_and_is_filtered(client, trained):
    older, newer = ids(trained)
    found = client.get("/api/runs").json()
    assert [run["facts"]["id"] for run in found["runs"]] == [newer, older]
    first = found["runs"][0]
    assert (first["facts"]["status"], first["facts"]["task"]) == ("finished", "classify")
    assert first["facts"]["figure"]["metric"] == "accuracy"
    assert first["sparkline"][0] > first["sparkline"][-1]
    assert found["counts"] == {"finished": 2}
    assert client.get("/api/runs", params={"search": newer[-6:], "limit": 1}).json()["total"] == 1
    assert client.get("/api/runs", params={"status": "running"}).json()["runs"] == []
    best = client.get("/api/runs", params={"sort": "best"}).json()["runs"]
    assert best[0]["facts"]["figure"]["value"] >= best[1]["facts"]["figure"]["value"]


def test_one_run_is_found_by_its_id_and_as_the_latest(client, trained):
    latest = client.get("/api/runs/latest").json()
    assert latest["facts"]["id"] == ids(trained)[-1]
    assert [stage["stage"] for stage in latest["stages"]] == ["data", "train", "eval"]
    assert latest["trainings"][0]["steps"] == latest["trainings"][0]["step"]
    assert latest["has_report"]
    assert client.get("/api/runs/nothing").status_code == 404


def test_series_are_those_of_the_log_and_zoom_cuts_them(client, trained):
    run = trained[-1]
    logged = [record["loss"] for record in run.events.records() if record["event"] == "Step"]
    whole = client.get(f"/api/runs/{run.id}/series", params={"keys": "train/loss"}).json()
    assert whole["series"][0]["last"] == pytest.approx(logged, rel=1e-6)
    assert "validation/accuracy" in whole["keys"]
    assert {event["event"] for event in whole["events"]} == {"Saved", "Finished"}
    near = client.get(f"/api/runs/{run.id}/series", params={"keys": "train/loss", "from": 5, "to": 9}).json()
    assert near["series"][0]["x"] == [4, 5, 6, 7, 8, 9, 10]
    rows = list(csv.DictReader(io.StringIO(client.get(f"/api/runs/{run.id}/series.csv").text)))
    assert [float(row["value"]) for row in rows if row["key"] == "train/loss"] == logged
    wrong = client.get(f"/api/runs/{run.id}/series", params={"training": "x"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (404, "W41")


def test_several_runs_are_asked_for_at_once_and_answer_as_each_alone(client, trained):
    wish = {"keys": "train/loss,validation/accuracy", "from": 5, "to": 9, "x": "tokens"}
    found = client.get("/api/series", params={"runs": ",".join(ids(trained)), **wish}).json()
    alone = [client.get(f"/api/runs/{run}/series", params=wish).json() for run in ids(trained)]
    assert [one["run"] for one in found["runs"]] == ids(trained)
    assert [one["series"] for one in found["runs"]] == [one["series"] for one in alone]
    assert client.get("/api/series", params={"runs": "nothing"}).status_code == 404


def test_log_recipe_and_files_are_those_of_the_run(client, trained):
    run = trained[0]
    log = client.get(f"/api/runs/{run.id}/log", params={"limit": 2}).json()
    assert log["entries"][0]["event"] == "Completed"
    assert log["total"] > 2
    assert client.get(f"/api/runs/{run.id}/recipe").json()["yaml"] == run.recipe.read_text("utf-8")
    names = {file["name"] for file in client.get(f"/api/runs/{run.id}/files").json()["files"]}
    assert {"events.jsonl", "report.json"} <= names
    got = client.get(f"/api/runs/{run.id}/files/report.json")
    assert got.content == run.report.read_bytes()
    assert "attachment" in got.headers["content-disposition"]


def test_no_file_outside_the_run_is_given(client, trained, workspace):
    run = trained[0]
    (run.path / "out").symlink_to(workspace.root)
    for name in ("..%2F..%2Fstore.sqlite", "out/store.sqlite", ".lock", "%2Fetc%2Fpasswd"):
        assert client.get(f"/api/runs/{run.id}/files/{name}").status_code == 404
    (run.path / "out").unlink()


def test_the_rows_of_a_report_are_searched_and_those_of_a_cell_found(client, trained):
    run = trained[0]
    report = client.get(f"/api/runs/{run.id}/report").json()
    assert report["scores"]["accuracy"] < 1
    wrong = client.get(f"/api/runs/{run.id}/mistakes").json()
    assert wrong["total"] == sum(map(sum, report["confusion"])) - sum(
        row[i] for i, row in enumerate(report["confusion"])
    )
    target, predicted = report["labels"][0], report["labels"][1]
    cell = {"target": target, "predicted": predicted, "which": "all"}
    assert (
        client.get(f"/api/runs/{run.id}/mistakes", params=cell).json()["total"] == report["confusion"][0][1]
    )
    text = wrong["rows"][0]["text"]
    assert client.get(f"/api/runs/{run.id}/mistakes", params={"search": text}).json()["total"] >= 1
    table = client.get(f"/api/runs/{run.id}/mistakes.csv").text
    assert len(list(csv.reader(io.StringIO(table)))) == wrong["total"] + 1


def test_a_comparison_has_figures_changes_and_only_differences_of_recipes(client, trained):
    older, newer = ids(trained)
    found = client.get("/api/comparison", params={"runs": f"{older},{newer}"}).json()["comparison"]
    assert found["models"] == [older, newer]
    assert set(found["recipe"]) == {"train.optimizer.lr", "train.epochs"}
    (pair,) = found["pairs"]
    assert sum(pair["changes"]["counts"].values()) == found["rows"]
    assert {each["metric"] for each in pair["differences"]} == set(found["scores"])
    assert client.get("/api/comparison", params={"runs": older}).json()["error"]["code"] == "C21"


def test_tags_and_notes_are_kept_and_searched(client, trained):
    run = trained[0].id
    assert client.put(f"/api/runs/{run}/tags", json={"tags": ["slow", "first"]}).json()["tags"] == [
        "first",
        "slow",
    ]
    assert client.put(f"/api/runs/{run}/tags", json={"tags": ["slow"]}).json()["tags"] == ["slow"]
    client.post(f"/api/runs/{run}/notes", json={"text": "learns too slowly"})
    known = client.get(f"/api/runs/{run}").json()
    assert (known["tags"], known["notes"][0]["text"]) == (["slow"], "learns too slowly")
    assert client.get("/api/runs", params={"search": "slow"}).json()["total"] == 1


def test_stopping_a_run_that_nobody_works_on_asks_nobody(client, trained):
    assert client.post(f"/api/runs/{trained[0].id}/stop").json()["asked"] is False
