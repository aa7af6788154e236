"""What is old goes, and never what an alias, its lineage, a running run or a running server uses."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tunesmith.core import durable, uses
from tunesmith.core.errors import TunesmithError, UsageError
from tunesmith.core.runs import RunFolder
from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace
from tunesmith.models.card import Base, Card
from tunesmith.workflow import pruning, releases
from tunesmith.workflow.pruning import Rules

ALL = Rules(keep=0)
DAY_S = 86_400
MIB = 2**20


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / ".tunesmith")


@pytest.fixture
def publish(workspace):
    """Publish a model of one MiB, with the run and the cached training it is of, all with the same bytes."""

    def make(text, name="router", base=None, **lineage):
        key = text.ljust(64, "0")
        cached = workspace.cache / f"train-{key[:32]}"
        with durable.new_folder(cached) as made:
            (made / "weights").write_bytes(text.encode().ljust(MIB))
            Card(kind="encoder", base=base, lineage={"training": key}).save(made)
            if base:
                (made / "adapter_config.json").touch()
        run, folder = workspace.runs / f"{name}-{text}", workspace.models / text
        for place in (run / "model", folder):
            with durable.new_folder(place) as made:
                durable.link_files(cached, made)
        (run / "recipe.lock.yaml").write_text("model: other", "utf-8")
        store = Store(workspace.database)
        release = store.publish(name, digest=durable.digest(folder), folder=folder, task="",
                                lineage={"run": run.name, **lineage})  # fmt: skip
        store.close()
        return release

    return make


def move(workspace, version, before=None, name="router"):
    Store(workspace.database).move(name, "production", version, expected=before, reason="")


def names(chosen, kind):
    return {item.name for item in chosen.items if item.kind == kind}


def test_without_a_rule_nothing_goes(workspace):
    with pytest.raises(UsageError):
        pruning.choose(workspace, Rules())
    assert pruning.choose(workspace, ALL).items == ()


def test_aliases_keep_their_releases_runs_and_cached_stages_and_what_they_can_go_back_to(workspace, publish):
    for text in "abcd":
        publish(text)
    move(workspace, 1)
    move(workspace, 3, before=1)
    chosen = pruning.choose(workspace, ALL)
    assert names(chosen, "release") == {"router@2", "router@4"}
    assert names(chosen, "run") == {"router-b", "router-d"}
    assert {name[6] for name in names(chosen, "cache")} == {"b", "d"}
    assert pruning.remove(chosen.items, workspace) == list(chosen.items)
    store = Store(workspace.database)
    assert [release.label for release in store.releases()] == ["router@1", "router@3"]
    assert {path.name for path in workspace.models.iterdir()} == {"a", "c"}
    assert store.rollback("router", "production", reason="").version == 1
    assert pruning.choose(workspace, ALL).items == ()


def test_the_disk_that_is_freed_counts_what_is_shared_only_once_and_only_when_all_of_it_goes(
    workspace, publish
):
    publish("a")
    assert MIB < pruning.choose(workspace, ALL).freed < 1.1 * MIB
    assert pruning.choose(workspace, Rules(kinds=("run",), keep=0)).freed < 0.1 * MIB


def test_bases_and_teachers_of_what_is_needed_are_needed(workspace, publish):
    base, teacher = publish("base", "base"), publish("teacher", "teacher")
    publish("other", "other")
    on = Base(name="base", folder=base.folder, weights="0" * 64)
    publish("adapter", base=on, teacher=f"{teacher.name} {'1' * 64}")
    move(workspace, 1)
    assert names(pruning.choose(workspace, ALL), "release") == {"other@1"}


def test_adapters_go_before_their_base(workspace, publish):
    base = publish("base", "base")
    publish("adapter", base=Base(name="base", folder=base.folder, weights="0" * 64))
    chosen = pruning.choose(workspace, Rules(kinds=("release",), keep=0))
    assert len(pruning.remove(chosen.items, workspace)) == 2
    assert list(workspace.models.iterdir()) == []


def test_a_running_run_keeps_itself_its_models_and_all_cached_stages(workspace, publish):
    publish("a")
    publish("b", "other")
    run = RunFolder(workspace.runs / "running-1")
    with run.locked():
        run.recipe.write_text("model: router@1", "utf-8")
        chosen = pruning.choose(workspace, ALL)
        assert (names(chosen, "release"), names(chosen, "cache")) == ({"other@1"}, set())
        assert "running-1" not in names(chosen, "run")
    assert "running-1" in names(pruning.choose(workspace, ALL), "run")


def test_a_server_keeps_what_it_serves_until_it_ends_or_dies(workspace, publish):
    release = publish("a")
    with uses.using(workspace, [Path(release.folder)]):
        assert names(pruning.choose(workspace, ALL), "release") == set()
        with pytest.raises(TunesmithError) as caught:
            releases.remove(release.label, workspace)
        assert caught.value.problems[0].code == "R38"
    assert names(pruning.choose(workspace, ALL), "release") == {"router@1"}
    script = (
        "import os, sys, pathlib\nfrom tunesmith.core import uses, workspace\n"
        "with uses.using(workspace.Workspace(pathlib.Path(sys.argv[1])), [pathlib.Path(sys.argv[2])]):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    subprocess.run([sys.executable, "-c", script, workspace.root, release.folder], env=environment)
    assert len(list((workspace.root / "serving").glob("*.json"))) == 1
    assert uses.used(workspace) == {}
    assert names(pruning.choose(workspace, ALL), "release") == {"router@1"}


def test_the_newest_and_the_young_stay(workspace, publish):
    for number, text in enumerate("abc"):
        publish(text)
        moment = time.time() - (30 - 10 * number) * DAY_S
        os.utime(workspace.runs / f"router-{text}", (moment, moment))
    assert names(pruning.choose(workspace, Rules(kinds=("run",), keep=2)), "run") == {"router-a"}
    assert names(pruning.choose(workspace, Rules(kinds=("run",), days=15)), "run") == {"router-a", "router-b"}
    assert names(pruning.choose(workspace, Rules(kinds=("run",), days=15, keep=2)), "run") == {"router-a"}
    assert names(pruning.choose(workspace, Rules(keep=2)), "release") == {"router@1"}


def test_the_oldest_go_until_the_rest_fits(workspace, publish):
    for number, text in enumerate("abc"):
        publish(text)
        for path in (workspace.runs / f"router-{text}", *workspace.cache.glob(f"train-{text}*")):
            os.utime(path, (number, number))
    move(workspace, 1)
    chosen = pruning.choose(workspace, Rules(size=int(2.2 * MIB)))
    assert names(chosen, "release") == {"router@2"}
    assert names(chosen, "run") >= {"router-b"}
    assert chosen.freed > MIB
    pruning.remove(chosen.items, workspace)
    assert pruning.choose(workspace, Rules(size=int(2.2 * MIB))).items == ()


def test_what_is_needed_meanwhile_stays(workspace, publish):
    publish("a")
    chosen = pruning.choose(workspace, ALL)
    move(workspace, 1)
    with RunFolder(workspace.runs / "router-a").locked():
        gone = pruning.remove(chosen.items, workspace)
    assert gone == []
    assert Store(workspace.database).find("router@1") is not None
