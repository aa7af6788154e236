from __future__ import annotations

import shutil
import sqlite3

import pytest
import torch


def test_json_says_what_the_machine_has(call, workspace, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example")
    found = call("doctor", "--json").json
    assert found["torch"]["version"] == torch.__version__
    assert 0 < found["machine"]["memory_available_bytes"] <= found["machine"]["memory_bytes"]
    assert found["sqlite"]["version"] == sqlite3.sqlite_version
    assert found["network"]["HF_ENDPOINT"] == "https://mirror.example"
    assert found["workspace"] == {"path": str(workspace.root), "exists": False, "writable": True}
    assert not workspace.root.exists()


@pytest.mark.parametrize(("lang", "expected"), [("en", "memory"), ("zh", "内存")])
def test_it_is_said_in_the_users_language(call, lang, expected):
    said = call("doctor", "--lang", lang)
    assert said.code == 0
    assert expected in said.out


def test_what_is_missing_is_no_failure(call, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = call("doctor")
    assert said.code == 0
    assert "pip install 'tunesmith[minilm]'" in said.out


def test_a_sqlite_with_the_race_is_pointed_out(call, monkeypatch):
    for version, is_warned in (((3, 51, 2), True), ((3, 51, 3), False)):
        monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
        assert ("before 3.51.3" in call("doctor").out) == is_warned


def test_what_is_wrong_is_shown_and_mended_only_when_asked_for(call, workspace, router):
    sign = workspace.runs / "r1" / ".owner"
    sign.parent.mkdir(parents=True)
    sign.write_text("1", "ascii")
    shown = call("doctor", "--lang", "zh")
    assert (shown.code, "记录的进程已不存在" in shown.out, "--repair" in shown.err) == (0, True, True)
    assert call("doctor", "--json").json["wrong"][0]["kind"] == "lock"
    done = call("doctor", "--repair", "--json")
    assert (done.code, done.json["repaired"]) == (0, 1)
    assert not sign.exists()
    assert "nothing is wrong" in call("doctor", "--repair").out


def test_what_nobody_can_mend_is_a_failure_with_a_hint(call, router):
    shutil.rmtree(router.folder)
    said = call("doctor", "--repair")
    assert (said.code, "router@1" in said.out, "store restore" in said.err) == (1, True, True)
