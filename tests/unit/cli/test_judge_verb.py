"""Judging on the command line: by a hosted model, and blindly by a person."""

from __future__ import annotations

import io
import json

import pytest
from hosts.host import running, said

PROMPTS = [f"What is {n} and {n}?" for n in range(10)]


@pytest.fixture
def host(call):
    """A host with three models: `good` and `bad` answer, `judge` prefers what is certain."""

    def answer(body):
        asked = body["messages"][-1]["content"]
        if body["model"] == "judge":
            first, second = asked.split("[answer B ")[0], asked.split("[answer B ")[1].split("[end")[0]
            return said(f"Verdict: {'B' if 'certainly' in second and 'certainly' not in first else 'A'}")
        return said("It is certainly so." if body["model"] == "good" else f"I forgot {asked[:12]}")

    with running() as made:
        made.answer = answer
        for name in ("good", "bad", "judge"):
            call("models", "add", f"hosted:{name}", "--url", made.url, "--model", name)
        yield made


@pytest.fixture
def prompts(tmp_path):
    file = tmp_path / "prompts.jsonl"
    file.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in PROMPTS), "utf-8")
    return file


def compare(call, prompts, *more):
    given = ("judge", "compare", "hosted:good", "hosted:bad", "--data", prompts, "--judge", "hosted:judge")
    return call(*given, *more)


def rate(call, monkeypatch, prompts, keys):
    monkeypatch.setattr("sys.stdin", io.StringIO(keys))
    return call("judge", "ab", "hosted:good", "hosted:bad", "--data", prompts, "--json")


def test_two_models_are_compared_and_the_cost_is_counted(call, host, prompts):
    report = compare(call, prompts, "--limit", 6, "--json").json
    assert report["scores"]["win_rate"] == report["scores"]["consistency"] == 1
    assert report["scores"]["first_preferred"] == 0.5
    assert report["differences"][0]["p"] < 0.05
    assert (report["judge"]["requests"], report["judge"]["tokens"]) == (12, 12 * 7)
    assert report["judge"]["agreement"] is None
    asked = len(host.asked)
    again = compare(call, prompts, "--limit", 6, "--html", "page.html")
    assert len(host.asked) == asked
    assert "never measured" in again.out
    assert "12 answers kept" in again.out


def test_a_person_rates_blindly_stops_goes_on_and_the_judge_is_measured_by_it(
    call, host, prompts, monkeypatch, tmp_path
):
    assert compare(call, prompts, "--min-kappa", 0.4).code == 7
    # The person always takes the first answer that is shown, and once nonsense is typed.
    begun = rate(call, monkeypatch, prompts, "1\nwhat\n1\ns\nq\n")
    assert (begun.code, begun.json["rated"]) == (0, 2)
    assert "hosted:good" not in begun.err
    done = rate(call, monkeypatch, prompts, "1\n" * 20).json
    assert done["rated"] == len(PROMPTS)
    assert 0 < done["a"] < len(PROMPTS)  # which one is first is decided by the seed
    lines = [json.loads(line) for line in (tmp_path / "ratings.jsonl").read_text("utf-8").splitlines()]
    assert all(line["choice"] == line["shown"] for line in lines)
    measured = call("judge", "agree", "ratings.jsonl", "--judge", "hosted:judge", "--json").json
    assert measured["scores"]["judge_kappa"] == pytest.approx(0)
    assert "kappa 0.00" in compare(call, prompts).out
    assert "error[C54]" in compare(call, prompts, "--min-kappa", 0.4).err


def test_too_few_ratings_measure_nothing(call, host, tmp_path):
    line = json.dumps({"prompt": "q", "answer": "x", "score": 4})
    (tmp_path / "few.jsonl").write_text(line, "utf-8")
    assert "error[C53]" in call("judge", "agree", "few.jsonl", "--judge", "hosted:judge").err


def test_a_judge_that_cannot_be_read_is_an_error(call, host, prompts):
    given = ("judge", "score", "hosted:good", "--data", prompts, "--judge", "hosted:bad", "--limit", 2)
    assert "error[C52]" in call(*given).err
    host.answer = lambda body: said("评分：4")
    report = call(*given[:-4], "--judge", "hosted:judge", "--limit", 2, "--json").json
    assert report["scores"] == {"judge_score": 4.0, "unanswered": 0.0}


def test_ctrl_c_keeps_what_was_rated(call, host, prompts, monkeypatch):
    class Keyboard(io.StringIO):
        def readline(self):
            line = super().readline()
            if not line:
                raise KeyboardInterrupt
            return line

    monkeypatch.setattr("sys.stdin", Keyboard("1\n"))
    stopped = call("judge", "ab", "hosted:good", "hosted:bad", "--data", prompts)
    assert stopped.code == 130
    assert "1 ratings in ratings.jsonl" in stopped.out
