from __future__ import annotations

from tunesmith.core.store import Store


def test_tags_and_notes_of_a_release_are_shown_with_it(call, router):
    assert call("models", "tag", "router@1", "已复核", "slow").out == "router@1: slow, 已复核\n"
    assert call("models", "tag", "router@1", "slow", "--remove", "--json").json["tags"] == ["已复核"]
    assert call("models", "note", "router@1", "fine on short texts").code == 0
    known = call("models", "show", "router", "--json").json
    assert (known["tags"], known["notes"][0]["text"]) == (["已复核"], "fine on short texts")
    assert "fine on short texts" in call("models", "show", "router").out
    assert call("models", "tag", "router@1", "two words").code == 2


def test_tags_and_notes_of_a_run_go_with_it(call, workspace):
    run = workspace.runs / "tickets-1"
    run.mkdir(parents=True)
    for name in ("recipe.lock.yaml", "events.jsonl"):
        (run / name).touch()
    assert call("runs", "tag", "tickets", "vip").code == 0
    assert call("runs", "note", "tickets", "第一次").code == 0
    known = call("runs", "show", "tickets", "--json").json
    assert (known["tags"], known["notes"][0]["text"]) == (["vip"], "第一次")
    assert call("runs", "remove", "tickets").code == 0
    assert Store(workspace.database).tags("run") == {}


def test_the_moves_of_aliases_are_told_with_their_reasons(call, workspace, router):
    store = Store(workspace.database)
    store.move("router", "production", 1, expected=None, reason="上线")
    said = call("models", "history", "router")
    assert (said.code, "上线" in said.out, "production" in said.out) == (0, True, True)
    (moved,) = call("models", "history", "router", "--json").json["moves"]
    assert (moved["version"], moved["previous"], moved["reason"]) == (1, None, "上线")
    assert call("models", "history", "nothing").code == 4
