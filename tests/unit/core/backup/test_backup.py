"""A workspace goes into one file while others work, and comes back byte by byte, or not at all."""

from __future__ import annotations

import json
import shutil
import threading
import zipfile
from pathlib import Path

import postgres
import pytest

from tunesmith.core import backup, durable
from tunesmith.core.backup import restoring
from tunesmith.core.errors import NotFoundError, TunesmithError
from tunesmith.core.repair import Visit, examine
from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """Workspaces of a kind, by name."""

    def make(name):
        asked = request.param == "postgresql"
        url = postgres.empty_schema(request.getfixturevalue("postgresql"), name) if asked else None
        return Workspace(tmp_path / name / ".tunesmith", url)

    return make


def publish(workspace, text):
    folder = workspace.models / text
    with durable.new_folder(folder) as made:
        (made / "weights.safetensors").write_text(text * 1000, "ascii")
        (made / "inner").mkdir()
        (made / "inner" / "empty").touch()
    store = Store(workspace.database)
    digest = durable.digest(folder)
    made = store.publish("router", digest=digest, folder=folder, task="classify", lineage={"run": "r1"})
    store.close()
    return made


@pytest.fixture
def full(place):
    """A workspace with something of everything."""
    workspace = place("full")
    for text in ("one", "two"):
        publish(workspace, text)
    run = workspace.runs / "r1"
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints" / "state").touch()
    for name in ("recipe.lock.yaml", "events.jsonl", ".lock"):
        (run / name).write_text(name, "utf-8")
    store = Store(workspace.database)
    store.move("router", "production", 1, expected=None, reason="first")
    store.move("router", "production", 2, expected=1, reason="第二")
    store.tag("release", "router@1", ["old"])
    store.note("run", "r1", "words")
    (workspace.root / "judges").mkdir()
    (workspace.root / "judges" / "a-pair.json").write_text("{}", "ascii")
    (workspace.root / "secret").write_text(store.create_key("app", ["serve"])[1], "ascii")
    store.close()
    return workspace


@pytest.fixture
def archive(full, tmp_path):
    path = tmp_path / "backup.zip"
    backup.backup(full, path)
    return path


def code(caught):
    return caught.value.problems[0].code


def test_what_was_backed_up_comes_back_elsewhere_and_can_be_gone_on_with(full, archive, place):
    secret = (full.root / "secret").read_text("ascii")
    shutil.move(full.root, full.root.with_name("gone"))
    there = place("there")
    backup.restore(archive, there)
    store = Store(there.database)
    assert [(r.label, r.aliases, r.tags) for r in store.releases()] == [
        ("router@1", (), ("old",)), ("router@2", ("production",), ())
    ]  # fmt: skip
    for release in store.releases():
        assert durable.verify(Path(release.folder)) == release.digest
        assert Path(release.folder).is_relative_to(there.root)
    assert store.find_key(secret).name == "app"
    assert {path.name for path in (there.runs / "r1").iterdir()} == {"recipe.lock.yaml", "events.jsonl"}
    assert store.rollback("router", "production", reason="").version == 1
    store.note("run", "r1", "more")
    assert [note.text for note in store.notes("run", "r1")] == ["words", "more"]
    assert (there.root / "judges" / "a-pair.json").is_file()
    assert (there.root / "pepper").stat().st_mode & 0o777 == 0o600
    store.close()
    assert examine(there, Visit(mend=False, grace_s=0)) == []


def test_a_backup_while_others_publish_and_remove_is_of_one_moment(full, place, tmp_path):
    stop = threading.Event()

    def work():
        store, number = Store(full.database), 0
        while not stop.is_set():
            number += 1
            release = publish(full, f"made-{number}")
            if number % 2:
                store.remove(release)
                shutil.rmtree(release.folder)
        store.close()

    worker = threading.Thread(target=work)
    worker.start()
    paths = [tmp_path / f"{number}.zip" for number in range(3)]
    for path in paths:
        backup.backup(full, path)
    stop.set()
    worker.join()
    for number, path in enumerate(paths):
        there = place(f"there{number}")
        backup.restore(path, there)
        assert [f for f in examine(there, Visit(mend=False, grace_s=0)) if f.kind != "orphan"] == []


def test_nothing_is_overwritten_without_being_told(full, archive):
    publish(full, "three")
    with pytest.raises(TunesmithError) as caught:
        backup.restore(archive, full)
    assert code(caught) == "U16"
    assert len(Store(full.database).releases()) == 3
    backup.restore(archive, full, replace=True)
    assert len(Store(full.database).releases()) == 2
    with pytest.raises(TunesmithError) as caught:
        backup.backup(full, archive)
    assert code(caught) == "U03"


def test_what_was_published_while_an_archive_was_unpacked_is_not_lost(archive, place, monkeypatch):
    there = place("there")
    unpack = restoring._unpack

    def slowly(*given):
        unpack(*given)
        publish(there, "meanwhile")

    monkeypatch.setattr(restoring, "_unpack", slowly)
    with pytest.raises(TunesmithError) as caught:
        backup.restore(archive, there)
    assert code(caught) == "U16"
    assert len(Store(there.database).releases()) == 1


def test_an_archive_is_for_its_owner_only_and_holds_each_content_once(archive):
    assert archive.stat().st_mode & 0o777 == 0o600
    names = zipfile.ZipFile(archive).namelist()
    assert len(names) == len(set(names))


def changed(archive, change):
    """The archive with another description or other contents."""
    path = archive.with_name("changed.zip")
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(path, "w") as made:
        entries = {name: source.read(name) for name in source.namelist()}
        said = json.loads(entries["BACKUP.json"])
        change(said, entries)
        entries["BACKUP.json"] = json.dumps(said).encode()
        for name, content in entries.items():
            made.writestr(name, content)
    return path


def rename(name):
    return lambda said, _: said["files"][0].update(name=name)


HOSTILE = {
    **{f"name {name}": (rename(name), "R37") for name in (
        "../evil", "models/../../evil", "/etc/evil", "models/x/../../../evil", "settings.json", "", ".",
        "models\\..\\evil", "store.sqlite", "models//x", "pepper/../../x", "cache/x", "models", "pepper/x")},
    "sha256 as a path": (lambda said, _: said["files"][0].update(sha256="../BACKUP.json"), "R37"),
    "other bytes": (lambda said, all_: all_.update({f"objects/{said['files'][0]['sha256']}": b"x"}), "R36"),
    "fewer bytes": (lambda said, _: said["files"][0].update(size=1 << 20), "R36"),
    "more bytes": (lambda said, _: said["files"][-1].update(size=1), "R36"),
    "no such content": (lambda said, _: said["files"][0].update(sha256="0" * 64), "R36"),
    "twice": (lambda said, _: said["files"].append(said["files"][0]), "R36"),
    "in a file": (lambda said, _: said["files"][1].update(name=said["files"][0]["name"] + "/x"), "R36"),
    "size": (lambda said, _: said["files"][0].update(size="1"), "R36"),
    "a release elsewhere": (
        lambda said, _: said["tables"]["releases"][0].update(folder=f"{said['root']}/models/../../x"), "R37"),
    "a release without folder": (lambda said, _: said["tables"]["releases"][0].pop("folder"), "R36"),
    "no tables": (lambda said, _: said.pop("tables"), "R36"),
    "another format": (lambda said, _: said.update(format=2), "R36"),
    "newer": (lambda said, _: said.update(schema="9999"), "R35"),
}  # fmt: skip


def test_a_hostile_or_damaged_archive_changes_nothing(archive, place, tmp_path):
    there = place("there")
    for name, (change, expected) in HOSTILE.items():
        with pytest.raises(TunesmithError) as caught:
            backup.restore(changed(archive, change), there)
        assert code(caught) == expected, name
        assert not there.models.exists(), name
    assert not (tmp_path / "evil").exists()
    assert [path.name for path in there.root.iterdir() if "store" not in path.name] == []


def test_what_is_no_archive_is_said_to_be_none(archive, tmp_path):
    there = Workspace(tmp_path / "there")
    cut = tmp_path / "cut.zip"
    for content in (b"", b"PK", archive.read_bytes()[: archive.stat().st_size // 2]):
        cut.write_bytes(content)
        with pytest.raises(TunesmithError) as caught:
            backup.restore(cut, there)
        assert code(caught) == "R36"
    with pytest.raises(NotFoundError):
        backup.restore(tmp_path / "missing.zip", there)
