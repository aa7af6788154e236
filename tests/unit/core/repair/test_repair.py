"""What kills, failing disks and foreign hands leave is told, and mended without losing anything."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from tunesmith.core import durable
from tunesmith.core.repair import Visit, examine
from tunesmith.core.repair.salvage import damage
from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace

LOOK, MEND = Visit(mend=False, grace_s=0), Visit(mend=True, grace_s=0)


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / ".tunesmith")


@pytest.fixture
def published(workspace):
    """Publish a model made of a text; returns the release."""

    def publish(text, name="router", **lineage):
        folder = workspace.models / text
        with durable.new_folder(folder) as made:
            (made / "weights").write_text(text, "ascii")
        store = Store(workspace.database)
        return store.publish(
            name, digest=durable.digest(folder), folder=folder, task="classify", lineage=lineage
        )

    return publish


@pytest.fixture(scope="module")
def dead():
    """The number of a process that is gone."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    return ended.pid


def kinds(found):
    return [finding.kind for finding in found]


def mended(workspace, *expected):
    """Look, mend, look again: what is found is the same, and gone in the end."""
    assert kinds(examine(workspace, LOOK)) == list(expected)
    done = examine(workspace, MEND)
    assert kinds(done) == list(expected)
    assert all(finding.mended for finding in done)
    assert examine(workspace, LOOK) == []
    return done


def test_nothing_is_wrong_with_a_sound_workspace_or_none(workspace, published):
    assert examine(workspace, MEND) == []
    published("one")
    assert examine(workspace, MEND) == []


def test_what_a_killed_process_was_writing_goes_and_what_a_living_one_writes_stays(
    workspace, published, dead
):
    published("one")
    for process, name in ((dead, "a"), (os.getpid(), "b")):
        (workspace.models / f".tmp-{durable.host()}-{process}-{name * 32}.two").mkdir()
    mended(workspace, "leftover")
    assert (workspace.models / f".tmp-{durable.host()}-{os.getpid()}-{'b' * 32}.two").exists()


def test_a_folder_that_was_being_replaced_is_in_its_place_again(workspace, published, dead):
    release = published("one")
    os.rename(release.folder, workspace.models / f".tmp-{durable.host()}-{dead}-{'a' * 32}.one")
    assert kinds(examine(workspace, LOOK)) == ["leftover", "gone"]
    assert kinds(examine(workspace, MEND)) == ["replaced"]
    assert durable.verify(workspace.models / "one") == release.digest


def test_a_model_that_no_release_names_is_put_aside_whole_unless_it_is_young(workspace, published):
    Store(workspace.database).remove(published("one"))
    assert examine(workspace, Visit(mend=True)) == []
    (found,) = mended(workspace, "orphan")
    assert durable.is_valid(workspace.root / "lost" / "models" / "one")
    assert found.detail.endswith("lost/models/one")


def test_a_release_gets_its_files_back_from_its_run(workspace, published):
    release = published("one", run="r1")
    run = workspace.runs / "r1"
    run.mkdir(parents=True)
    (run / "recipe.lock.yaml").write_text("", "utf-8")
    shutil.copytree(release.folder, run / "model")
    (workspace.models / "one" / "weights").write_text("", "ascii")
    mended(workspace, "relinked")
    assert durable.verify(workspace.models / "one") == release.digest


def test_files_that_are_nowhere_are_told_and_the_release_stays(workspace, published):
    shutil.rmtree(published("one").folder)
    for visit in (LOOK, MEND):
        (found,) = examine(workspace, visit)
        assert (found.kind, found.subject, found.mended) == ("gone", "router@1", False)


def test_locks_of_the_dead_and_runs_that_never_began(workspace):
    for name in ("begun", "never"):
        (workspace.runs / name).mkdir(parents=True)
        (workspace.runs / name / ".owner").write_text("1", "ascii")
        (workspace.runs / name / ".lock").touch()
    (workspace.runs / "begun" / "recipe.lock.yaml").write_text("", "utf-8")
    mended(workspace, "lock", "lock", "unfinished")
    assert [path.name for path in workspace.runs.iterdir()] == ["begun"]


def test_a_cached_stage_that_is_not_whole(workspace):
    for name in ("data-1", "data-2"):
        with durable.new_folder(workspace.cache / name) as made:
            (made / "rows").write_text("rows", "ascii")
    (workspace.cache / "data-2" / "rows").write_text("r", "ascii")
    mended(workspace, "cache")
    assert durable.is_valid(workspace.cache / "data-1")


def test_marks_of_what_is_gone_and_keys_without_their_pepper(workspace):
    store = Store(workspace.database)
    store.tag("run", "gone", ["vip"])
    store.note("release", "gone@1", "words")
    mended(workspace, "marks", "marks")
    store.create_key("app", ["serve"])
    (workspace.root / "pepper").unlink()
    assert [(f.kind, f.mended) for f in examine(workspace, MEND)] == [("pepper", False)]


def test_a_damaged_database_is_put_aside_and_what_can_be_read_is_saved(workspace, published):
    release = published("one")
    store = Store(workspace.database)
    for number in range(400):
        store.note("run", "r", f"{number} " + "words " * 40)
    store.close()
    path = workspace.database.path
    content = bytearray(path.read_bytes())
    content[-9 * 4096 : -8 * 4096] = b"\x55" * 4096
    path.write_bytes(content)
    assert kinds(examine(workspace, LOOK)) == ["damaged"]
    found = examine(workspace, MEND)
    assert found[0].kind == "damaged"
    assert list(workspace.root.glob("store.damaged-*.sqlite"))
    assert [r.label for r in Store(workspace.database).releases()] == [release.label]
    assert examine(workspace, LOOK) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is refused to root")
def test_a_database_that_may_not_be_read_is_not_taken_for_a_damaged_one(workspace, published):
    published("one")
    path = workspace.database.path
    path.chmod(0)
    assert kinds(examine(workspace, MEND)) == ["unreachable"]
    path.chmod(0o600)
    assert len(Store(workspace.database).releases()) == 1


@pytest.mark.parametrize(
    ("errno", "damaged"), [("SQLITE_BUSY", False), ("SQLITE_CANTOPEN", False), ("SQLITE_CORRUPT", True)]
)
def test_what_the_system_refuses_says_nothing_about_a_file(workspace, monkeypatch, errno, damaged):
    def refuse(*_, **__):
        error = sqlite3.OperationalError("no")
        error.sqlite_errorcode = getattr(sqlite3, errno)
        raise error

    monkeypatch.setattr(sqlite3, "connect", refuse)
    assert (damage(workspace.database.path) is not None) is damaged


def test_a_file_that_is_no_database_gives_way_to_an_empty_one(workspace):
    workspace.root.mkdir()
    workspace.database.path.write_bytes(b"nothing of SQLite" * 1000)
    mended(workspace, "damaged")
