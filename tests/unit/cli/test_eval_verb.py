from __future__ import annotations

import pytest


@pytest.mark.parametrize(("lang", "expected"), [("en", "measured on 8 rows"), ("zh", "共评测 8 行")])
def test_scores_and_the_ledger_are_shown(call, router, tickets, lang, expected):
    said = call("eval", "router", "--data", tickets, "--lang", lang)
    assert said.code == 0
    assert "macro_f1" in said.out
    assert "1.0000" in said.out
    assert expected in said.out


def test_json_is_the_report(call, router, tickets):
    report = call("eval", "router@1", "--data", tickets, "--json").json
    assert report["task"] == "classify"
    assert report["scores"]["accuracy"] == 1
    assert report["ledger"]["used"] == 8
    assert len(report["confusion"]) == 2


def test_the_report_is_also_a_page(call, router, tickets, tmp_path):
    call("eval", "router", "--data", tickets, "--html", "out/report.html", "--lang", "zh")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "准确率" in page


def test_a_language_model_is_measured_by_perplexity(call, stories, tmp_path):
    path = tmp_path / "chat.jsonl"
    path.write_text('{"prompt": "Tell a story", "completion": "Once upon a time there was a girl."}\n')
    report = call("eval", stories, "--data", path, "--json").json
    assert report["task"] == "chat"
    assert report["scores"]["perplexity"] > 1


def test_a_model_of_another_kind_is_refused(call, router, tickets):
    said = call("eval", "router", "--data", tickets, "--task", "generate")
    assert said.code == 3
    assert "error[M14]" in said.err


def test_a_missing_file_is_named(call, router):
    said = call("eval", "router", "--data", "nosuch.csv", "--json")
    assert said.code == 4
    assert said.json["problems"][0]["code"] == "D01"
