from __future__ import annotations

import io
import json
import sys

import pytest


class Terminal(io.StringIO):
    """A keyboard."""

    def isatty(self):
        return True


@pytest.fixture
def typed(monkeypatch):
    def give(words, *, terminal=False):
        monkeypatch.setattr(sys, "stdin", (Terminal if terminal else io.StringIO)(words))

    return give


def test_a_classifier_names_the_label_and_the_runners_up(call, router):
    said = call("ask", "router", "where is my new card")
    assert said.code == 0
    first, second = said.out.splitlines()
    assert first.startswith("→ card  0.")
    assert second.startswith("  rate  0.")


def test_json_has_every_probability_and_the_name_that_was_asked_for(call, router):
    answer = call("ask", "router@1", "今天的汇率", "--json").json
    assert (answer["model"], answer["task"], answer["label"]) == ("router", "classify", "rate")
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)


def test_lines_of_stdin_are_answered_a_line_each(call, router, typed):
    typed("my card\n\nthe rate\n" * 50)
    said = call("ask", "router", "-")
    assert [line.split("\t")[0] for line in said.out.splitlines()] == ["card", "rate"] * 50


def test_a_pipe_without_text_is_read_as_lines(call, router, typed):
    typed("my card\nthe rate\n")
    objects = [json.loads(line) for line in call("ask", "router", "--json").out.splitlines()]
    assert [answer["label"] for answer in objects] == ["card", "rate"]


def test_a_terminal_asks_until_an_empty_line(call, router, typed):
    typed("my card\nthe rate\n\nnever read\n", terminal=True)
    said = call("ask", "router", "--lang", "zh")
    assert said.out.count("→") == 2
    assert "空行" in said.err


def test_a_language_model_answers_and_a_seed_repeats_it(call, stories):
    words = ("ask", stories, "Tell me a story", "--max-new-tokens", 12, "--temperature", 1, "--seed", 7)
    first, second = call(*words), call(*words)
    assert first.code == 0
    assert first.out == second.out
    assert call(*words, "--json").json == {
        "model": "stories260K-hf", "task": "chat", "answer": first.out.removesuffix("\n"),
    }  # fmt: skip


def test_a_model_for_texts_continues_them(call, stories, tmp_path):
    call("models", "export", stories, "--to", "teller")
    card = tmp_path / "teller" / "tunesmith.json"
    card.write_text(card.read_text().replace('"task": null', '"task": "generate"'))
    said = call("ask", "teller", "Once upon a time", "--max-new-tokens", 12, "--json").json
    assert said["task"] == "generate"
    assert "there was" in said["answer"]


def test_a_long_conversation_leaves_out_its_oldest_turns(call, stories, typed):
    typed("tell me a story\n" * 3 + "\n", terminal=True)
    said = call("ask", stories, "--max-new-tokens", 300)
    assert said.code == 0
    assert "its oldest turn was left out" in said.err


def test_what_cannot_answer_says_so(call, router):
    assert call("ask", "router", " ").code == 2
    said = call("ask", "tfidf", "hello")
    assert said.code == 3
    assert "error[M13]" in said.err
    assert call("ask", "nosuch", "hello").code == 4
