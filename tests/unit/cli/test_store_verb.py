from __future__ import annotations

import io

import postgres

from tunesmith.core.store import Store


def test_looking_makes_no_store(call, workspace):
    said = call("store", "show")
    assert (said.code, "nothing yet" in said.out) == (0, True)
    assert not workspace.root.exists()


def test_what_is_in_the_store_is_counted(call, router):
    assert call("store", "show", "--json").json["holds"] == {"releases": 1, "aliases": 0, "keys": 0}


def test_another_store_is_used_once_or_from_now_on(call, workspace, router, postgresql, monkeypatch):
    url = postgres.empty_schema(postgresql, "cli")
    assert call("keys", "create", "there", "--store", url).code == 0
    assert Store(workspace.database).keys() == []
    used = call("store", "use", url)
    assert (used.code, "stays there" in used.err) == (0, True)
    assert [key["name"] for key in call("keys", "list", "--json").json["keys"]] == ["there"]
    assert call("models", "show", "router").code == 4
    assert call("store", "use", "file").code == 0
    assert call("models", "show", "router").code == 0
    monkeypatch.setenv("TUNESMITH_STORE", url)
    assert call("store", "show", "--json").json["holds"]["keys"] == 1


def test_no_password_is_written_into_the_workspace(call, workspace):
    said = call("store", "use", "postgresql://me:secret@127.0.0.1:9/x")
    assert (said.code, "U13" in said.err) == (2, True)
    assert not workspace.root.exists()


def test_a_store_that_does_not_answer_is_not_chosen(call, workspace):
    said = call("store", "use", "postgresql://me@127.0.0.1:9/x", "--lang", "zh")
    assert (said.code, "没有响应" in said.err) == (1, True)
    assert not (workspace.root / "settings.json").exists()


def test_damaged_settings_are_named(call, workspace):
    workspace.root.mkdir()
    (workspace.root / "settings.json").write_text('{"stroe": 1}', "utf-8")
    said = call("models", "list")
    assert (said.code, "settings.json" in said.err) == (1, True)


def test_a_workspace_goes_into_a_file_and_comes_back_elsewhere(call, router, tmp_path):
    made = call("store", "backup", "all.zip", "--json")
    assert (made.code, made.json["releases"]) == (0, 1)
    assert call("store", "restore", "all.zip").code == 2
    back = call("store", "restore", "all.zip", "--workspace", tmp_path / "there", "--lang", "zh")
    assert (back.code, "1 个发布" in back.out) == (0, True)
    assert call("models", "verify", "router", "--workspace", tmp_path / "there").code == 0


def test_what_would_go_is_shown_and_goes_when_it_is_wished(call, workspace, router, monkeypatch):
    assert call("store", "prune").code == 2
    shown = call("store", "prune", "--keep", "0")
    assert (shown.code, "router@1" in shown.out, "--yes" in shown.err) == (0, True, True)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert "remove them?" in call("store", "prune", "--keep", "0").err
    assert call("models", "show", "router").code == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("是\n"))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert "已删除 1 项" in call("store", "prune", "--keep", "0", "--lang", "zh").out
    assert call("models", "show", "router").code == 4
    assert call("store", "prune", "--keep", "0", "--yes", "--json").json["items"] == []
