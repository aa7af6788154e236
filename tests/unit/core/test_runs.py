"""Run folders: who works on them, how they ended, and finding them by name."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from tunesmith.core import runs
from tunesmith.core.errors import NotFoundError, TunesmithError
from tunesmith.core.events import Completed, Failed, StageStarted, Stopped
from tunesmith.core.runs import RunFolder

HOLD = """
import sys
from pathlib import Path
from tunesmith.core.runs import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("mine", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def begin(tmp_path):
    """A run that was begun."""

    def make(name):
        run = RunFolder(tmp_path / name)
        run.path.mkdir()
        run.recipe.write_text("recipe: 1\n", "utf-8")
        run.events.append(StageStarted(stage="data"))
        return run

    return make


@pytest.fixture
def run(begin):
    return begin("router-0123456789")


@pytest.fixture
def other(run):
    """Another process that owns the run."""
    paths = os.pathsep.join(map(os.path.abspath, sys.path))
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths},
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "mine\n"
        yield process
        process.kill()


def test_a_run_has_one_owner(run, other):
    assert run.owner() == other.pid
    assert run.status() == "running"
    with pytest.raises(TunesmithError) as caught, run.locked():
        pass
    assert caught.value.problems[0].code == "C05"
    assert caught.value.problems[0].values["owner"] == other.pid
    assert str(other.pid) in str(caught.value)
    assert time.strftime("%Y-") in caught.value.problems[0].values["since"]
    with pytest.raises(TunesmithError):
        run.remove()
    assert run.recipe.exists()


def test_a_killed_owner_does_not_keep_the_run(run, other):
    other.kill()
    other.wait()
    assert run.owner() is None
    assert run.status() == "interrupted"
    with run.locked():
        assert run.owner() == os.getpid()
    assert run.owner() is None


def test_a_run_can_begin_while_somebody_asks_for_its_owner(run):
    asking = FileLock(run.path / ".lock", thread_local=False)
    asking.acquire()
    threading.Timer(0.1, asking.release).start()
    with run.locked():
        assert run.owner() == os.getpid()


def test_scores_that_are_no_numbers_are_read_back_as_they_were(run):
    without_end = float("inf")
    told = {
        "model": "Infinity",
        "scores": {"perplexity": without_end},
        "intervals": {"perplexity": {"low": 9.0, "high": without_end}},
        "baselines": {"b": {"perplexity": 2.0}},
        "differences": [{"metric": "perplexity", "beside": "b", "value": without_end, "p": 0.0}],
    }
    run.finish(told)
    assert run.result() == told


def test_the_lock_is_freed_when_the_work_fails(run):
    with pytest.raises(ZeroDivisionError), run.locked():
        1 / 0  # noqa: B018
    with run.locked():
        pass


@pytest.mark.parametrize(
    ("event", "status"),
    [(Stopped(step=3), "stopped"), (Failed(code="T01"), "failed"), (Completed(seconds=1.0), "interrupted")],
)
def test_the_status_is_how_it_ended(run, event, status):
    run.events.append(event)
    assert run.status() == status


def test_a_result_makes_a_run_finished(run):
    assert run.result() is None
    run.finish({"scores": {"accuracy": 0.5}})
    assert run.result() == {"scores": {"accuracy": 0.5}}
    assert run.status() == "finished"


def test_a_run_can_be_removed(run):
    run.remove()
    assert not run.path.exists()
    assert runs.all_runs(run.path.parent) == []


def test_a_run_is_found_by_its_name_or_a_beginning_that_only_it_has(begin, tmp_path):
    first, second, third = begin("router-01"), begin("router-02"), begin("router-0")
    assert runs.find(tmp_path, "router-01") == first
    assert runs.find(tmp_path, "router-0") == third
    second.remove()
    third.remove()
    assert runs.find(tmp_path, "rou") == first


def test_runs_come_oldest_first(begin, tmp_path):
    made = [begin("b"), begin("a"), begin("c")]
    assert runs.all_runs(tmp_path) == made


@pytest.mark.parametrize("name", ["nothing", "router", "", ".."])
def test_no_run_or_more_than_one_is_answered_with_what_exists(begin, tmp_path, name):
    begin("router-01")
    begin("router-02")
    with pytest.raises(NotFoundError) as caught:
        runs.find(tmp_path, name)
    assert caught.value.problems[0].code == "C06"
    assert "router-02" in caught.value.problems[0].values["known"]


def test_a_folder_of_something_else_is_no_run(tmp_path: Path):
    (tmp_path / "notes").mkdir()
    assert runs.all_runs(tmp_path) == []
    assert runs.all_runs(tmp_path / "nothing") == []
