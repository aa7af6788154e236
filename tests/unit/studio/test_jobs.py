"""Jobs: processes that outlive the server, and a list that tells the truth about them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from tunesmith.core.store import Job, Store
from tunesmith.core.workspace import Workspace
from tunesmith.studio.app import create_studio
from tunesmith.studio.jobs import lease, supervisor
from tunesmith.studio.jobs.supervisor import AT_ONCE, Supervisor
from tunesmith.studio.state import Studio


def until(true: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)
    return found


@pytest.fixture
def idle(tmp_path: Path) -> Studio:
    """A Studio whose jobs nobody looks after yet."""
    return Studio.over(Workspace(tmp_path / ".tunesmith"))


def running(studio: Studio, **values: Any) -> Job:
    now = time.time()
    job = studio.store.add_job("resume", "x", {"wishes": {"kind": "resume", "run": "x"}})
    given = {"host": lease.host(), "started": now, "beat": now, "process": os.getpid(), **values}
    assert studio.store.change_job(job.id, of="queued", status="running", **given)
    return studio.store.job(job.id)


def test_a_job_runs_in_a_process_of_its_own_and_says_in_both_languages_why_it_failed(
    studio: Studio, admin: httpx.Client
) -> None:
    asked = admin.post("/api/jobs", json={"kind": "resume", "run": "nothing"}).json()
    assert (asked["status"], asked["title"], asked["by"]) == ("queued", "nothing", "admin")
    path = f"/api/jobs/{asked['id']}"
    until(lambda: admin.get(path).json()["status"] == "failed")
    found = admin.get(path, headers={"X-Language": "zh"}).json()
    assert found["problems"][0]["code"] == "C06"
    assert "nothing" in found["problems"][0]["message"]
    assert studio.store.job(asked["id"]).process != os.getpid()
    assert admin.get(f"{path}/log").status_code == 200
    assert admin.post(f"{path}/cancel").json()["status"] == "failed"
    assert admin.get("/api/jobs", params={"status": "failed"}).json()["jobs"][0]["id"] == asked["id"]

    again = admin.post(f"{path}/retry").json()
    assert (again["status"] in ("queued", "running"), again["attempt"], again["problems"]) == (True, 2, [])


@pytest.mark.parametrize(
    "wishes",
    [
        {},
        {"kind": "shell"},
        {"kind": "run", "recipe": ""},
        {"kind": "resume", "run": "x", "y": 1},
        {"kind": "learn", "name": "../../elsewhere"},
        {"kind": "learn", "name": ".."},
    ],
)
def test_what_is_no_job_is_refused(admin: httpx.Client, wishes: dict[str, Any]) -> None:
    assert admin.post("/api/jobs", json=wishes).status_code == 400
    assert admin.get("/api/jobs/nothing").status_code == 404


def test_a_job_whose_process_was_killed_is_not_said_to_run(idle: Studio) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead = running(idle, process=child.pid)
    alive = running(idle)  # its process is there and may still be starting
    silent = running(idle, host="elsewhere", beat=time.time() - 2 * lease.SILENT_S)
    stopped = running(idle, process=child.pid, stopping=time.time())
    idle.jobs.look()
    status = {job.id: job.status for job in idle.store.jobs()}
    assert [status[job.id] for job in (dead, alive, silent, stopped)] == [
        "failed", "running", "failed", "cancelled",
    ]  # fmt: skip
    assert idle.store.job(dead.id).error is not None


def test_whoever_holds_the_lock_lives_however_long_ago_he_began(idle: Studio) -> None:
    job = running(idle, started=time.time() - 1e6, beat=0.0)
    lease.folder(idle.workspace, job.id).mkdir(parents=True)
    with lease.lock(idle.workspace, job.id):
        Supervisor(idle.workspace, Store(idle.workspace.database)).look()
        assert idle.store.job(job.id).status == "running"
    idle.jobs.look()
    assert idle.store.job(job.id).status == "failed"


def test_no_more_jobs_begin_than_may_run_at_once_and_the_oldest_first(idle: Studio) -> None:
    for _ in range(AT_ONCE):
        running(idle)
    waiting = [idle.store.add_job("resume", str(i), {"wishes": {"run": "x"}}) for i in range(2)]
    idle.jobs.look()
    assert {idle.store.job(job.id).status for job in waiting} == {"queued"}
    assert idle.jobs.cancel(waiting[0])
    assert idle.store.job(waiting[0].id).status == "cancelled"
    assert not idle.jobs.cancel(idle.store.job(waiting[0].id))


def test_a_process_that_was_given_up_touches_nothing_when_it_comes_late(idle: Studio) -> None:
    job = running(idle)
    assert idle.store.change_job(job.id, of="running", status="failed")
    assert idle.store.retry_job(job.id)
    assert idle.store.change_job(job.id, of="queued", status="running")
    again = idle.store.job(job.id)
    lease.folder(idle.workspace, job.id).mkdir(parents=True)
    late = [*supervisor.COMMAND, job.id, "1", str(idle.workspace.root)]
    assert subprocess.run(late, check=False, capture_output=True).returncode == 0
    assert idle.store.job(job.id) == again
    assert not idle.store.change_job(job.id, of="running", of_attempt=1, status="finished")
    assert idle.store.change_job(job.id, of="running", of_attempt=2, status="finished")


def test_a_job_that_was_cancelled_before_its_process_was_there_does_nothing(idle: Studio) -> None:
    job = running(idle, stopping=time.time())
    lease.folder(idle.workspace, job.id).mkdir(parents=True)
    given = [*supervisor.COMMAND, job.id, "1", str(idle.workspace.root)]
    subprocess.run(given, check=True, capture_output=True)
    assert (idle.store.job(job.id).status, idle.store.job(job.id).error) == ("cancelled", None)


def test_a_job_takes_no_modules_out_of_the_folder_it_is_started_in(
    idle: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "filelock.py").write_text("raise SystemExit(9)", "utf-8")
    monkeypatch.chdir(tmp_path)
    given = [*supervisor.COMMAND, "nothing", "1", str(idle.workspace.root)]
    assert subprocess.run(given, check=False, capture_output=True).returncode == 1  # there is no such job


def test_lists_go_on_where_they_ended_and_old_jobs_are_forgotten(studio: Studio, tmp_path: Path) -> None:
    studio = Studio.over(Workspace(tmp_path / "w"))
    made = [studio.store.add_job("resume", str(i), {}) for i in range(5)]
    read = jobs_of(studio)
    first = read(limit=2)
    rest = read(limit=3, cursor=first["next"])
    assert [job["title"] for job in first["jobs"] + rest["jobs"]] == ["4", "3", "2", "1", "0"]
    assert rest["next"] is None
    for job in made[1:]:
        studio.store.change_job(job.id, of="queued", status="failed", ended=time.time())
    lease.folder(studio.workspace, made[1].id).mkdir(parents=True)
    studio.store.change_job(made[1].id, of="failed", ended=0.0)
    studio.store.change_job(made[2].id, of="failed", ended=0.0)  # what changed last stays
    studio.jobs.tidy()
    assert [job["title"] for job in read()["jobs"]] == ["4", "3", "2", "0"]
    assert not lease.folder(studio.workspace, made[1].id).exists()
    assert set(studio.store.forget_jobs(before=0, kept=1)) == {made[3].id}


def jobs_of(studio: Studio) -> Callable[..., Any]:
    headers = {"Authorization": f"Bearer {studio.store.create_key('k', ['studio:viewer'])[1]}"}
    client = TestClient(create_studio(studio), base_url="http://localhost", headers=headers)
    return lambda **params: client.get("/api/jobs", params=params).json()


def test_of_two_servers_one_begins_a_job(idle: Studio) -> None:
    job = idle.store.add_job("resume", "x", {})
    other = Store(idle.workspace.database)
    won = [store.change_job(job.id, of="queued", status="running") for store in (idle.store, other)]
    assert won == [True, False]


def test_every_change_of_a_job_has_a_revision_of_its_own(idle: Studio) -> None:
    jobs = [idle.store.add_job("resume", str(i), {}) for i in range(3)]
    before = idle.store.jobs_revision()
    idle.store.change_job(jobs[1].id, of="queued", progress=0.5)
    assert [job.title for job in idle.store.jobs_after(before)] == ["1"]
    assert idle.store.jobs_after(before)[0].revision == idle.store.jobs_revision() == before + 1


# With a server that is killed


RECIPE = """
task: classify
model: {{architecture: bert, hidden: 32, layers: 1, heads: 2, vocab: 300}}
data: {{source: "{source}", clean: [normalise]}}
train: {{epochs: 30}}
"""


@pytest.mark.faults
def test_training_survives_the_server_and_the_next_one_finds_it(tmp_path: Path) -> None:
    def start() -> tuple[subprocess.Popen[str], httpx.Client]:
        command = [sys.executable, "-m", "tunesmith", "studio", "--port", "0", "--json", "--workspace"]
        server = subprocess.Popen([*command, str(tmp_path / "w")], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        said = json.loads(server.stdout.readline())
        client = httpx.Client(
            base_url=said["url"], headers={"X-Tunesmith": "1", "Origin": said["url"]}, timeout=30
        )
        client.get(said["studio"])
        server.stdout.close()
        return server, client

    server, client = start()
    (tmp_path / "rows.csv").write_text(
        "text,label\n" + "".join(f"{i} {'ab'[i % 2]},{i % 2}\n" for i in range(400))
    )
    recipe = RECIPE.format(source=tmp_path / "rows.csv")
    job = client.post("/api/jobs", json={"kind": "run", "recipe": recipe}).json()["id"]
    until(lambda: client.get(f"/api/jobs/{job}").json()["subject"])
    server.kill()
    server.wait()
    client.close()
    store = Store(Workspace(tmp_path / "w").database)
    assert lease.is_held(Workspace(tmp_path / "w"), job)
    server, client = start()
    until(lambda: store.job(job).is_over, 300)
    found = client.get(f"/api/jobs/{job}").json()
    assert found["status"] == "finished", found
    assert found["attempt"] == 1
    assert found["result"]["scores"]
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0
    client.close()
