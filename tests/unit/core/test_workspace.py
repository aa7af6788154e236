"""The workspace is the nearest `.tunesmith/` upwards, and looking for it writes nothing."""

from __future__ import annotations

from pathlib import Path

from tunesmith.core import workspace
from tunesmith.core.workspace import Workspace


def test_the_nearest_one_upwards_is_found(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / ".tunesmith").mkdir()
    assert workspace.find(start=inner) == Workspace(tmp_path / ".tunesmith")
    (tmp_path / "a" / ".tunesmith").mkdir()
    assert workspace.find(start=inner) == Workspace(tmp_path / "a" / ".tunesmith")


def test_without_one_it_is_to_be_made_here_and_is_not_made_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = workspace.find()
    assert found.root == tmp_path / ".tunesmith"
    assert not found.root.exists()


def test_a_file_of_that_name_is_no_workspace(tmp_path):
    (tmp_path / ".tunesmith").write_text("", "utf-8")
    (tmp_path / "a").mkdir()
    assert workspace.find(start=tmp_path / "a").root == tmp_path / "a" / ".tunesmith"


def test_the_one_that_is_asked_for_is_taken_and_does_not_move_with_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = workspace.find(Path("mine"))
    monkeypatch.chdir("/")
    assert found.root == tmp_path / "mine"
    assert {found.runs, found.models, found.cache, found.database.path} == {
        tmp_path / "mine" / name for name in ("runs", "models", "cache", "store.sqlite")
    }
