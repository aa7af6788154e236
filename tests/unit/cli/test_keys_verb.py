from __future__ import annotations

from tunesmith.core.store import Store


def test_a_key_is_shown_once_and_works_until_it_is_revoked(call, workspace):
    made = call("keys", "create", "my app")
    secret = made.out.strip()
    assert made.out.count("\n") == 1
    found = Store(workspace.database).find_key(secret)
    assert found is not None
    assert found.scopes == ("serve",)
    listed = call("keys", "list", "--json")
    assert secret.split("_", 2)[2] not in listed.out
    assert listed.json["keys"][0]["name"] == "my app"
    assert call("keys", "revoke", found.id).code == 0
    assert Store(workspace.database).find_key(secret) is None
    assert call("keys", "list", "--json").json["keys"][0]["revoked"] is not None


def test_json_has_the_key_and_its_id(call):
    made = call("keys", "create", "app", "--scope", "serve", "--json").json
    assert made["key"].split("_")[1] == made["id"]


def test_an_unknown_key_is_not_revoked(call):
    said = call("keys", "revoke", "abcd", "--lang", "zh")
    assert said.code == 4
    assert "没有编号为 abcd 的密钥" in said.err


def test_looking_makes_no_workspace(call, workspace):
    said = call("keys", "list")
    assert (said.code, said.out) == (0, "")
    assert "no keys yet" in said.err
    assert not workspace.root.exists()
