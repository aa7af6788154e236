from __future__ import annotations

import pytest

from tunesmith.cli import layout


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_catalogue_fits_into_eighty_columns_with_whole_names(call, lang):
    said = call("models", "list", "--lang", lang).out
    assert max(layout.width(line.rstrip()) for line in said.splitlines()) <= 80
    for row in call("models", "list", "--json").json["catalogue"]:
        assert f" {row['name']} " in said


def test_filters_narrow_the_list_and_say_when_nothing_is_left(call):
    found = call(
        "models",
        "list",
        "--language",
        "zh",
        "--licence",
        "apache",
        "--size",
        "<700M",
        "--task",
        "chat",
        "--json",
    ).json
    assert [row["name"] for row in found["catalogue"]] == ["qwen2.5-0.5b", "qwen3-0.6b"]
    assert {row["fit"]["best"] for row in found["catalogue"]} <= {"full", "lora", "serve", "none"}
    assert "no model is like that" in call("models", "list", "--family", "nothing").out
    assert call("models", "list", "--size", "big").code == 2


def test_a_release_is_found_by_its_facts(call, router):
    found = call("models", "list", "--family", "linear", "--json").json
    assert [row["name"] for row in found["releases"]] == ["router@1"]
    assert found["releases"][0]["fit"]["trains"] == "full"
