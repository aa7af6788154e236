from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.cli import layout
from tunesmith.cli.following import records
from tunesmith.core.events import Completed, Saved, StageStarted, Step, Stopped, Warned
from tunesmith.core.runs import RunFolder


@pytest.fixture
def recipe(call, tickets):
    """A recipe that trains in a second, run once."""
    call("init", tickets, "--quiet")
    path = tickets.with_name("recipe.yaml")
    lines = path.read_text("utf-8").splitlines()
    path.write_text(
        "\n".join("model: tfidf" if line.startswith("model:") else line for line in lines), "utf-8"
    )
    assert call("run", path, "--quiet").code == 0
    return path


def listed(call):
    return call("runs", "list", "--json").json["runs"]


def test_a_run_is_listed_with_its_score_and_release(call, recipe):
    (run,) = listed(call)
    assert (run["status"], run["release"], run["model"]) == ("finished", "tickets@1", "tfidf")
    assert "accuracy" in run["scores"]
    said = call("runs", "list", "--lang", "zh").out
    assert "已完成" in said
    assert run["run"] in said


def test_show_has_scores_ledger_stages_and_files(call, recipe):
    (run,) = listed(call)
    known = call("runs", "show", run["run"][:8], "--json").json
    assert known["result"]["ledger"]["read"] == 8
    assert [stage["stage"] for stage in known["stages"]] == ["data", "train", "eval", "publish"]
    assert all(Path(path).exists() for path in known["paths"].values())
    said = call("runs", "show", run["run"], "--lang", "zh").out
    assert "读入 8" in said
    assert "report.html" in said


def test_compare_tells_only_what_differs(call, recipe):
    call("run", recipe, "--set", "data.split.test=0.3", "--quiet")
    first, second = (run["run"] for run in listed(call))
    compared = call("runs", "compare", first, second, "--json").json
    assert compared["recipe"] == {"data.split.test": [0.1, 0.3]}
    assert len(compared["scores"]["accuracy"]) == 2
    assert call("runs", "compare", first, first).code == 2
    said = call("runs", "compare", first, second, "--output", "pages/c.html", "--lang", "zh")
    assert "data.split.test" in said.out
    assert "seed" not in said.out
    assert max(map(layout.width, said.out.splitlines())) <= 80
    page = Path("pages/c.html").read_text("utf-8")
    assert "<svg" in page
    assert "模型对比" in page


def test_a_release_and_its_run_tell_of_each_other(call, recipe):
    (run,) = listed(call)
    assert call("runs", "show", run["run"], "--json").json["releases"][0]["release"] == "tickets@1"
    call("models", "promote", "tickets@1", "--reason", "the first")
    chain = call("models", "show", "tickets", "--json").json["chain"]
    assert (chain["run"], chain["release"]) == (run["run"], "tickets@1")
    assert all(len(chain[name]) == 64 for name in ("data", "recipe", "report", "digest"))
    assert [move["alias"] for move in chain["moves"]] == ["candidate", "production"]
    assert chain["moves"][-1]["reason"].startswith("the first")
    assert call("models", "verify", "tickets", "--json").json["lineage"] == {
        "recipe": "same",
        "report": "same",
    }
    with Path(".tunesmith", "runs", run["run"], "report.json").open("a") as file:
        file.write("\n")
    assert "报告：此后已改变" in call("models", "verify", "tickets", "--lang", "zh").out
    call("runs", "remove", run["run"])
    assert "报告：已不存在" in call("models", "verify", "tickets", "--lang", "zh").out


def test_a_finished_run_is_resumed_at_once(call, recipe):
    (run,) = listed(call)
    said = call("runs", "resume", run["run"])
    assert said.code == 0
    assert "nothing to do" in said.out


def test_following_a_finished_run_ends(call, recipe):
    (run,) = listed(call)
    lines = call("runs", "show", run["run"], "--follow", "--json").out.splitlines()
    assert json.loads(lines[-1])["event"] == "Completed"
    said = call("runs", "show", run["run"], "--follow", "--lang", "zh")
    assert "评测" in said.err
    assert said.out.endswith("已完成\n")


def test_a_run_is_removed_and_its_release_stays(call, recipe):
    (run,) = listed(call)
    assert call("runs", "remove", run["run"]).code == 0
    assert listed(call) == []
    assert call("ask", "tickets", "my card", "--json").code == 0


def test_stopping_a_run_that_nobody_works_on_changes_nothing(call, recipe):
    (run,) = listed(call)
    assert call("runs", "stop", run["run"], "--json").json == {
        "run": run["run"], "asked": False, "process": None,
    }  # fmt: skip


@pytest.fixture
def busy(workspace, environment):
    """A run that another process works on, until it is asked to stop."""
    folder = RunFolder(workspace.runs / "busy-1")
    folder.path.mkdir(parents=True)
    folder.recipe.write_text("recipe: 1\n")
    script = (
        "import signal, sys\nfrom pathlib import Path\nfrom tunesmith.core.runs import RunFolder\n"
        "signal.signal(signal.SIGTERM, lambda *_: None)\n"
        "with RunFolder(Path(sys.argv[1])).locked():\n"
        "    print('working', flush=True)\n    signal.pause()\n"
    )
    command = [sys.executable, "-c", script, str(folder.path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        yield folder, process
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)


def test_stop_asks_the_process_that_works_on_the_run(call, busy):
    folder, process = busy
    assert listed(call)[0]["status"] == "running"
    assert call("runs", "remove", folder.id).code == 1
    assert call("runs", "stop", folder.id, "--json").json["process"] == process.pid
    assert process.wait(20) == 0
    assert listed(call)[0]["status"] == "interrupted"


def test_an_unknown_run_is_answered_with_those_that_exist(call, busy):
    said = call("runs", "show", "nosuch")
    assert said.code == 4
    assert "busy-1" in said.err


def step(number, loss=1.5):
    return Step(
        step=number, steps=4, epoch=1, loss=loss, learning_rate=1e-3, grad_norm=1, tokens=10, seconds=0.1
    )


def test_followers_see_each_event_once_while_a_run_goes_back_to_a_checkpoint(tmp_path, monkeypatch):
    folder = RunFolder(tmp_path)
    log = folder.events
    monkeypatch.setattr(RunFolder, "owner", lambda self: next(owners))
    owners = iter([1, 1, 1, None])

    def first():
        for event in (StageStarted(stage="train", detail="m"), step(1), Saved(step=1, path="p"), step(2)):
            log.append(event)

    def second():
        log.rewind(1, "m")
        with log.path.open("ab") as file:
            file.write(b'{"event": "torn')

    def third():
        log.path.write_bytes(log.path.read_bytes().rpartition(b"\n")[0] + b"\n")
        for loss in (1.4, 1.3, 1.2):
            log.append(step(2, loss))
        log.append(Completed(seconds=1))

    happens = iter([first, second, third])
    found = records(folder, wait=lambda _: next(happens)())
    seen = [(r["event"], r.get("loss")) for r in found]
    assert seen == [
        ("StageStarted", None), ("Step", 1.5), ("Saved", None), ("Step", 1.5),
        ("Step", 1.4), ("Step", 1.3), ("Step", 1.2), ("Completed", None),
    ]  # fmt: skip


def test_show_of_a_stopped_run_says_how_far_it_came_and_what_was_noticed(call, workspace):
    folder = RunFolder(workspace.runs / "half-1")
    folder.path.mkdir(parents=True)
    folder.recipe.write_text("recipe: 1\n")
    warned = Warned(code="D30", values={"file": "a.csv", "columns": "a, b"})
    for event in (warned, StageStarted(stage="train", detail="llama"), step(3), Stopped(step=3)):
        folder.events.append(event)
    known = call("runs", "show", "half", "--json").json
    assert known["status"] == "stopped"
    assert known["training"] == [{"model": "llama", "step": 3, "steps": 4, "loss": 1.5}]
    said = call("runs", "show", "half", "--lang", "zh").out
    assert "3/4" in said
    assert "已停止" in said
    assert "a.csv" in said
