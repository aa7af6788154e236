"""Writing leaves the old state or the new one, and a reader accepts only what was written whole."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from tunesmith.core import durable
from tunesmith.core.errors import ModelError, TunesmithError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def model(tmp_path):
    """A folder written durably."""
    path = tmp_path / "model"
    with durable.new_folder(path) as folder:
        (folder / "weights").write_bytes(b"12345")
        (folder / "inner").mkdir()
        (folder / "inner" / "words").write_text("你好", "utf-8")
    return path


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "new" / "result.json"
    durable.write_json(path, {"名": 1})
    durable.write_json(path, {"名": 2})
    assert path.read_text("utf-8") == '{\n "名": 2\n}\n'
    assert names(path.parent) == ["result.json"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_leaves_the_old_file_and_names_it(tmp_path, monkeypatch, number):
    path = tmp_path / "result.json"
    durable.write_bytes(path, b"old")

    def refuse(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(TunesmithError) as caught:
        durable.write_bytes(path, b"new")
    problem = caught.value.problems[0]
    assert (problem.code, problem.file) == ("C02", str(path))
    assert problem.values["reason"] == os.strerror(number)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["result.json"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "model"
    with pytest.raises(ZeroDivisionError), durable.new_folder(path) as folder:
        (folder / "weights").write_bytes(bytes(1 // 0))
    assert names(tmp_path) == []


def test_a_folder_that_fails_half_way_leaves_the_old_one(model):
    with pytest.raises(ZeroDivisionError), durable.new_folder(model) as folder:
        (folder / "weights").write_bytes(bytes(1 // 0))
    assert durable.is_valid(model)
    assert (model / "weights").read_bytes() == b"12345"


def test_a_folder_can_be_replaced(model):
    before = durable.digest(model)
    with durable.new_folder(model) as folder:
        (folder / "weights").write_bytes(b"67890")
    assert names(model) == ["MANIFEST.json", "weights"]
    assert durable.verify(model) != before
    assert names(model.parent) == ["model"]


def test_a_folder_that_another_process_puts_there_meanwhile_is_replaced(tmp_path, monkeypatch):
    path, rename, others = tmp_path / "model", os.rename, [1]

    def meanwhile(source, target):
        if target == path and others:
            others.pop()
            path.mkdir()
            (path / "weights").write_bytes(b"theirs")
        rename(source, target)

    with durable.new_folder(path) as folder:
        (folder / "weights").write_bytes(b"ours")
        monkeypatch.setattr(os, "rename", meanwhile)
    monkeypatch.undo()
    assert durable.is_valid(path)
    assert (path / "weights").read_bytes() == b"ours"
    assert names(tmp_path) == ["model"]


def test_the_digest_is_of_the_content_alone(model, tmp_path):
    copy = tmp_path / "copy"
    with durable.new_folder(copy) as folder:
        (folder / "inner").mkdir()
        (folder / "inner" / "words").write_text("你好", "utf-8")
        (folder / "weights").write_bytes(b"12345")
    assert durable.verify(copy) == durable.verify(model)


def test_what_was_written_is_accepted(model):
    assert set(durable.manifest_files(model)) == {"weights", "inner/words"}
    assert durable.is_valid(model)


DAMAGES = {
    "a changed byte": lambda folder: (folder / "weights").write_bytes(b"12346"),
    "a shorter file": lambda folder: (folder / "weights").write_bytes(b"1234"),
    "a missing file": lambda folder: (folder / "inner" / "words").unlink(),
    "a file too many": lambda folder: (folder / "more").write_bytes(b""),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_folder_that_was_changed_is_refused_by_the_name_of_the_file(model, damage):
    damage(model)
    assert not durable.is_valid(model)
    with pytest.raises(ModelError) as caught:
        durable.verify(model)
    assert caught.value.problems[0].code == "C04"
    assert caught.value.problems[0].file.startswith(str(model))


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"files": 1}', '{"files": {"weights": {}}}'])
def test_a_folder_without_a_readable_manifest_is_refused(model, content):
    (model / durable.MANIFEST).unlink()
    if content is not None:
        (model / durable.MANIFEST).write_text(content, "utf-8")
    assert not durable.is_valid(model)
    with pytest.raises(ModelError) as caught:
        durable.verify(model)
    assert caught.value.problems[0].code == "C03"


def test_a_folder_that_is_not_there_is_not_valid(tmp_path):
    assert not durable.is_valid(tmp_path / "nothing")


def test_linked_files_are_the_same_content_and_survive_the_source(model, tmp_path):
    copy = tmp_path / "copy"
    with durable.new_folder(copy) as folder:
        durable.link_files(model, folder)
    assert durable.verify(copy) == durable.digest(model)
    assert (copy / "weights").stat().st_ino == (model / "weights").stat().st_ino
    (model / "weights").unlink()
    assert durable.is_valid(copy)


def test_files_are_copied_where_the_disk_has_no_links(model, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", refuse)
    copy = tmp_path / "copy"
    with durable.new_folder(copy) as folder:
        durable.link_files(model, folder)
    assert durable.verify(copy) == durable.digest(model)


def test_sweeping_removes_what_was_cut_off_and_nothing_else(model):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    abandoned, mine = (f".tmp-{durable.host()}-{process}-{'0' * 31}" for process in (ended.pid, os.getpid()))
    (model.parent / f"{abandoned}0").mkdir()
    (model.parent / f"{abandoned}0" / "half").write_bytes(b"1")
    for name in (f"{abandoned}1", f"{mine}1", ".tmp-of-another-program"):
        (model.parent / name).write_bytes(b"1")
    durable.sweep(model.parent)
    assert set(names(model.parent)) == {"model", f"{mine}1", ".tmp-of-another-program"}


def test_what_another_machine_writes_is_left_alone_until_it_was_silent_for_a_day(tmp_path, monkeypatch):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    old = tmp_path / "model"
    old.mkdir()
    os.utime(old, (0, 0))
    os.rename(old, tmp_path / f".tmp-{'0' * 8}-{ended.pid}-{'0' * 32}.model")  # it keeps its age
    durable.sweep(tmp_path)
    assert len(names(tmp_path)) == 1
    tomorrow = time.time() + 25 * 3600
    monkeypatch.setattr(durable.time, "time", lambda: tomorrow)
    durable.sweep(tmp_path)
    assert names(tmp_path) == []


def test_a_writer_that_is_at_work_is_not_swept_away(tmp_path):
    path = tmp_path / "model"
    with durable.new_folder(path) as folder:
        (folder / "weights").write_bytes(b"1")
        durable.sweep(tmp_path)
    assert durable.is_valid(path)


def test_what_is_written_once_is_whole_its_owners_and_never_replaced(tmp_path):
    path = tmp_path / "secret"
    durable.write_once(path, b"first")
    durable.write_once(path, b"second")
    assert path.read_bytes() == b"first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["secret"]


def test_numbers_that_json_does_not_have_are_written_as_words(tmp_path):
    durable.write_json(tmp_path / "a.json", {"loss": float("nan"), "scores": (float("-inf"), 1.5)})
    assert read_strictly(tmp_path / "a.json") == {"loss": "NaN", "scores": ["-Infinity", 1.5]}


def read_strictly(path):
    def refuse(name):
        raise ValueError(f"{name} is not JSON")

    return json.loads(path.read_text("utf-8"), parse_constant=refuse)


def test_lines_of_many_writers_are_never_mixed(tmp_path):
    path = tmp_path / "events.jsonl"
    lines = [f"{i} " + "x" * 5000 for i in range(40)]
    threads = [threading.Thread(target=durable.append_line, args=(path, line)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.read_text("utf-8").splitlines()) == sorted(lines)
