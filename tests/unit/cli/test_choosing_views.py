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
    names = {row["name"] for row in found["catalogue"]}
    assert names >= {"qwen2.5-0.5b", "qwen3-0.6b"}
    assert not names & {"gpt2", "gemma-3-270m", "bge-small-zh", "qwen2.5-1.5b"}
    assert {row["fit"]["best"] for row in found["catalogue"]} <= {"full", "lora", "serve", "none"}
    assert "no model is like that" in call("models", "list", "--family", "nothing").out
    assert call("models", "list", "--size", "big").code == 2


def test_a_release_is_found_by_its_facts(call, router):
    found = call("models", "list", "--family", "linear", "--json").json
    assert [row["name"] for row in found["releases"]] == ["router@1"]
    assert found["releases"][0]["fit"]["trains"] == "full"


def test_a_suggestion_knows_the_language_and_fits_the_memory(call, tickets):
    words = ("models", "suggest", "--task", "classify", "--data", tickets, "--memory", "8GB")
    found = call(*words, "--json").json
    assert found["rows"]["labels"] == 2
    assert set(found["rows"]["languages"]) == {"zh", "en"}
    assert found["baseline"] == "tfidf"
    names = [one["model"] for one in found["suggestions"]]
    assert "xlm-roberta-base" in names
    assert "bert-base-chinese" not in names
    assert all(one["fit"]["lora_bytes"] <= 0.9 * 8 * 2**30 for one in found["suggestions"])
    chinese = call(*words, "--language", "zh", "--json").json["suggestions"]
    assert chinese[0]["model"] == "bge-large-zh", "the largest made for Chinese that trains in full"
    smaller = call(*words[:-1], "4GB", "--language", "zh", "--json").json["suggestions"]
    assert smaller[0]["model"] in {"bert-base-chinese", "chinese-roberta", "bge-base-zh"}
    said = call(*words, "--lang", "zh").out
    assert "1. model: " in said
    assert "基线：model: tfidf" in said
    assert call(*words, "--latency", "0.0001", "--json").json["suggestions"] == []
    assert call(*words[:-1], "much").code == 2


def test_pairs_need_a_model_that_knows_both_sides(call, tmp_path):
    file = tmp_path / "pairs.csv"
    rows = ["The weather is fine today,今天天气很好", "I would like some tea,我想喝点茶"] * 700
    file.write_text("\n".join(["source,target", *rows]), encoding="utf-8")
    words = ("models", "suggest", "--task", "translate", "--data", file)
    found = call(*words, "--json").json
    assert set(found["rows"]["languages"]) == {"zh", "en"}
    assert found["suggestions"] == []
    assert "model: {architecture: transformer}" in call(*words).out
