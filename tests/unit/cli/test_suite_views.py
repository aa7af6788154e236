from __future__ import annotations

import pytest

from tunesmith.models import loading
from tunesmith.models.resolve import Resolved
from tunesmith.serve.deployment import deploy
from tunesmith.serve.server import serving


@pytest.fixture
def exams(shared_data):
    return shared_data / "exam_agieval"


def test_a_suite_is_a_line_for_each_task_with_its_interval(call, stories, exams, tmp_path):
    given = ("eval", stories, "--suite", "agieval", "--data", exams, "--limit", 1, "--html", "page.html")
    report = call(*given, "--json").json
    assert report["rows"] == 5
    assert report["baselines"]["chance"] == dict.fromkeys(report["scores"], 0.25)
    assert report["intervals"]["mean"]["low"] <= report["scores"]["mean"] < 1
    assert report["intervals"]["gaokao_history/accuracy"]["high"] > 0.5  # one row says little
    assert report["ledger"]["dropped"] == {"not drawn": 1165}
    assert "gaokao" in (tmp_path / "page.html").read_text("utf-8")


CODE = """
suite: 1
tasks: {mine: {kind: code, data: rows.csv, prompt: "#", answer: "x", program: "x = 1", max_new_tokens: 4}}
"""


def test_code_is_not_run_unless_asked(call, stories, tmp_path):
    (tmp_path / "mine.yaml").write_text(CODE, "utf-8")
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n", "utf-8")
    given = ("eval", stories, "--suite", "mine.yaml", "--limit", 1)
    refused = call(*given)
    assert (refused.code, "error[C44]" in refused.err) == (2, True)
    allowed = call(*given, "--run-code")
    assert allowed.code == 0
    assert "no wall" in allowed.err
    assert "pass_at_1   1.0000" in allowed.out


def test_what_is_missing_is_said(call, stories, router, exams):
    assert "error[C41]" in call("eval", stories, "--suite", "agieval").err
    assert "error[C45]" in call("eval", "router", "--suite", "agieval", "--data", exams).err
    assert call("eval", stories).code == 2


def test_two_models_are_compared_question_by_question(call, stories, tmp_path):
    for name, answer in (("one", "x = 1"), ("two", "x = 1 / ({a} - 1)")):
        (tmp_path / "mine.yaml").write_text(CODE.replace("x = 1", answer), "utf-8")
        (tmp_path / "rows.csv").write_text("a,b\n1,2\n3,4\n", "utf-8")
        call("eval", stories, "--suite", "mine.yaml", "--run-code", "--output", name)
    found = call("runs", "compare", "one", "two", "--json").json
    assert found["rows"] == 2
    assert found["scores"]["solved"] == [1, 0.5]
    assert "solved" in call("runs", "compare", "one", "two").out


@pytest.mark.parametrize(
    "given", [("--suite", "agieval", "--task", "chat"), ("--data", "x.csv", "--shots", 3)]
)
def test_options_that_mean_nothing_are_refused(call, given):
    said = call("eval", "any", *given)
    assert (said.code, "error[C56]" in said.err) == (2, True)


WORDS = """
suite: 1
tasks:
  mine: {kind: text, data: rows.csv, prompt: "Once upon {a}", answer: "{b}", max_new_tokens: 4}
  other: {kind: choices, data: choices.jsonl, prompt: "{q}", options: o, answer: r, max_new_tokens: 4}
"""


def test_a_model_at_an_address_answers_in_words(call, stories, tmp_path):
    (tmp_path / "mine.yaml").write_text(WORDS, "utf-8")
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n3,4\n", "utf-8")
    (tmp_path / "choices.jsonl").write_text('{"q": "Why?", "o": ["yes", "no"], "r": 0}', "utf-8")
    model = loading.load(Resolved(name="stories", folder=stories))
    with serving([deploy(model)]) as url:
        report = call("eval", f"{url}/v1#stories", "--suite", "mine.yaml", "--json").json
    assert report["rows"] == 3
    assert "other/unanswered" in report["scores"]
