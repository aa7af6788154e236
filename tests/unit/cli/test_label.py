"""tunesmith data label: a person with a keyboard, each decision kept at once; scripts do the same."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import threading

import pytest

from tunesmith.cli.keyboard import Terminal

TAGGED = {"text": "张三👍在北京，北京很大", "spans": [{"start": 0, "end": 2, "label": "PER"}]}
LOC = [{"start": 4, "end": 6, "label": "LOC"}, {"start": 7, "end": 9, "label": "LOC"}]
TASKS = [
    ("multilabel", {"text": "b", "labels": ["x", "y"]}, "1, y\n", "labels", ["x", "y"]),
    ("preference", {"prompt": "p", "chosen": "c", "rejected": "r"}, "2\n", None, None),
    ("rating", {"text": "b"}, "9\n4\n", "score", 4.0),
    ("correction", {"text": "teh cat"}, "the cat\n", "target", "the cat"),
    (
        "answer",
        {"question": "谁？", "context": "李四👍答", "answers": {"text": ["李"], "answer_start": [0]}},
        "nobody\n李四\n",
        "answers",
        {"text": ["李四"], "answer_start": [0]},
    ),
]


@pytest.fixture
def typed(call, monkeypatch):
    """Call `data label` with what somebody types."""

    def run(keys: str, *arguments: object):
        monkeypatch.setattr("sys.stdin", io.StringIO(keys))
        return call("data", "label", *arguments)

    return run


def test_classes_by_key_by_name_by_search_as_suggested_skipped_and_undone(typed, call, tickets):
    said = typed("1\nrate\n/\nrat\n\nz\n\n ２\nq\n", tickets, "--as", "ann", "--gold", tickets)
    assert said.code == 0
    assert "[1] card" in said.out
    assert max(map(len, said.out.splitlines())) <= 80
    decided = call("data", "label", "tickets", "--out", "made.jsonl", "--to", "decisions", "--json").json
    made = [json.loads(line) for line in tickets.with_name("made.jsonl").read_text("utf-8").splitlines()]
    assert decided["rows"] == len(made) == 6
    assert [one["kind"] for one in made] == ["label"] * 3 + ["undo"] + ["label"] * 2
    assert {one["annotator"] for one in made} == {"ann"}


def test_a_file_that_is_missing_and_a_project_that_is_are_told_apart(call):
    assert "D01" in call("data", "label", "nosuch.csv").err
    assert "D01" in call("data", "label", "a/b").err
    assert "L01" in call("data", "label", "nosuch").err


def test_work_goes_on_where_it_ended_and_is_written_at_any_time(typed, call, tickets):
    assert typed("1\n", tickets, "--as", "ann").code == 0
    assert typed(" \n", "tickets", "--as", "bob").code == 0
    assert call("data", "label", "tickets", "--status", "--json").json["by"] == {"ann": 1, "bob": 1}
    said = call("data", "label", "tickets", "--out", "out.csv", "--json").json
    assert (said["rows"], said["skipped"], said["open"]) == (1, 1, 6)
    assert "card" in tickets.with_name("out.csv").read_text("utf-8")
    (listed,) = call("data", "label", "--json").json["projects"]
    assert (listed["name"], listed["items"], listed["decided"]) == ("tickets", 8, 1)
    assert call("data", "label", "tickets", "--remove").code == 0
    assert call("data", "label", "tickets", "--status").code == 4


def test_what_is_shown_joins_emoji_names_who_suggests_and_tells_what_was_kept(typed, call, tmp_path):
    row = {"text": "李四  去了 👩‍👩‍👧", "spans": [{"start": 0, "end": 2, "label": "人名"}]}
    (tmp_path / "a.jsonl").write_text(2 * (json.dumps(row) + "\n"), "utf-8")
    said = typed("人名 李四 去了\n", "a.jsonl", "--labels", "人名", "--lang", "zh").out
    assert "李四 去了 👩‍👩‍👧" in said
    assert "建议：人名 李四 （数据原有 1.00）" in said
    assert "→ 人名 李四  去了" in said, "two spaces are shown as one, and found by one"


@pytest.fixture
def hand(monkeypatch):
    """What is typed at a terminal."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield lambda said: os.write(ours, said.encode())
        monkeypatch.undo()
    os.close(ours)


def test_keys_of_a_terminal_are_not_lost_and_arrows_are_none(hand):
    hand("1\x1b[D汇z")
    keys = Terminal()
    assert [keys.key() for _ in range(4)] == ["1", "escape", "汇", "z"]


def test_keys_after_a_line_are_not_lost(hand):
    hand("/银行卡\n3x\n4")
    keys = Terminal()
    assert (keys.key(), keys.line(), keys.key(), keys.line(), keys.key()) == ("/", "银行卡", "3", "x", "4")


def test_waiting_for_a_key_is_interrupted_at_once(hand):
    # A shell has what it runs in the background ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    # As behind a library that has reading go on after a signal.
    signal.siginterrupt(signal.SIGINT, False)
    late = threading.Timer(5, hand, "1")

    def wait():
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        late.start()
        Terminal().key()

    try:
        with pytest.raises(KeyboardInterrupt):
            wait()
        assert late.is_alive()
    finally:
        late.cancel()
        signal.siginterrupt(signal.SIGINT, True)
        signal.signal(signal.SIGINT, before)


def test_a_layout_that_does_not_fit_is_refused_before_anything_is_labelled(typed, call, tickets):
    assert typed("", tickets).code == 0
    assert "D56" in call("data", "label", "tickets", "--out", "o.csv", "--to", "squad").err
    assert call("data", "label", "tickets", "--out", "o.csv").code == 0
    assert tickets.with_name("o.csv").read_text("utf-8").split() == ['"text","label"']


def test_spans_are_given_by_their_words_wherever_they_stand(typed, call, tmp_path):
    (tmp_path / "a.jsonl").write_text(2 * (json.dumps(TAGGED) + "\n"), "utf-8")
    said = typed("ORG 北京\nLOC 上海\nLOC 北京; LOC 北京\n", "a.jsonl", "--labels", "PER,LOC")
    assert "no label or key ORG" in said.out
    assert "does not contain 上海" in said.out
    assert call("data", "label", "a", "--out", "b.jsonl", "--to", "prodigy").code == 0
    assert json.loads((tmp_path / "b.jsonl").read_text("utf-8"))["spans"] == LOC


@pytest.mark.parametrize(("task", "row", "keys", "column", "value"), TASKS)
def test_every_kind_of_labelling_ends_in_a_row(typed, call, tmp_path, task, row, keys, column, value):
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    assert typed(keys, "a.jsonl", "--task", task, "--lang", "zh").code == 0
    out = "b.json" if task == "answer" else "b.jsonl"
    assert call("data", "label", "a", "--out", out).code == 0
    made = (tmp_path / out).read_text("utf-8")
    if task == "answer":
        (answer,) = json.loads(made)["data"][0]["paragraphs"][0]["qas"][0]["answers"]
        assert (answer["text"], answer["answer_start"]) == ("李四", 0)
    elif column:
        assert json.loads(made)[column] == value


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nowhere"], "L01"), (["a.txt"], "L09"), (["a.txt", "--task", "clas"], "L11"),
        (["a.txt", "--task", "answer"], "L08"), (["a.txt", "--labels", "x,x"], "L12"),
        (["a.txt", "--labels", "x", "--project", "a b"], "L02"),
        (["a.txt", "--labels", "x", "--guideline", "none.md"], "C01"),
    ],
)  # fmt: skip
def test_what_cannot_be_labelled_is_said_before_anything_is_made(call, tmp_path, arguments, code):
    (tmp_path / "a.txt").write_text("one\n", "utf-8")
    said = call("data", "label", *arguments, "--json")
    assert said.json["problems"][0]["code"] == code
    assert call("data", "label", "--json").json == {"projects": []}
