from __future__ import annotations

import pytest

from tunesmith.core import recipe_file


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_recipe_of_a_file_runs_as_it_is(call, tickets, lang):
    said = call("init", tickets, "--lang", lang)
    assert said.code == 0
    assert "message" in said.out
    done = call("check", "recipe.yaml", "--set", "model=tfidf", "--json", "--quiet")
    assert done.json["ok"] is True
    recipe = recipe_file.load(tickets.with_name("recipe.yaml"))
    assert recipe.task == "classify"
    assert recipe.data.fields == {"text": "message", "label": "topic"}
    assert recipe.data.source["all"][0].path == "tickets.csv"


def test_json_says_what_was_found(call, tickets):
    found = call("init", tickets, "--json").json
    assert found["mapping"] == {"text": "message", "label": "topic"}
    assert (found["task"], found["format"], found["encoding"], found["rows"]) == (
        "classify", "csv", "utf-8", 8,
    )  # fmt: skip
    assert found["next"][0] == "tunesmith check recipe.yaml"


def test_a_recipe_is_never_overwritten(call, tickets):
    call("init", tickets)
    before = tickets.with_name("recipe.yaml").read_bytes()
    said = call("init", tickets, "--lang", "zh")
    assert said.code == 2
    assert "recipe.yaml 已经存在" in said.err
    assert tickets.with_name("recipe.yaml").read_bytes() == before


def test_without_a_file_the_recipe_has_a_place_for_it(call, tmp_path):
    said = call("init", "--task", "chat", "--out", "chat.yaml")
    assert said.code == 0
    assert "data.source" in said.err
    assert recipe_file.load(tmp_path / "chat.yaml").task == "chat"


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("nosuch.csv",), 4, "error[D01]"),
        (("--task", "clasify"), 3, "did you mean `classify`"),
        (("empty.csv",), 3, "error[D02]"),
    ],
)
def test_nothing_is_written_when_there_is_nothing_to_learn(call, tmp_path, words, code, expected):
    (tmp_path / "empty.csv").write_text("text,label\n")
    said = call("init", *words)
    assert said.code == code
    assert expected in said.err
    assert not (tmp_path / "recipe.yaml").exists()


def test_rows_that_cannot_be_used_are_named_and_left_out(call, tickets):
    with tickets.open("a") as file:
        file.write("nobody knows what this is,\n")
    said = call("init", tickets)
    assert "lines 10" in said.err
    assert recipe_file.load(tickets.with_name("recipe.yaml")).data.on_error == "drop"
    assert call("check", "recipe.yaml", "--set", "model=tfidf", "--json", "--quiet").json["ok"] is True
