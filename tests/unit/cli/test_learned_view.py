"""`check` shows which tokens of the first rows are learned, with colour and without, in 80 columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.cli.layout import width

QUESTION = "请问我的包裹{}什么时候能够到达，我已经等了两个星期了，能不能帮我查询一下现在的位置？谢谢"
ANSWER = "您好，包裹{}预计周四送达。"
RECIPE = """recipe: 1
task: chat
model: {architecture: llama, hidden: 32, layers: 1, heads: 2, vocab: 400, context: 256}
data: {source: rows.jsonl, split: {similar: null}}
train: {epochs: 1}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    rows = [
        {"messages": [{"role": "user", "content": QUESTION.format(i)},
                      {"role": "assistant", "content": ANSWER.format(i)}]}
        for i in range(12)
    ]  # fmt: skip
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    (tmp_path / "chat.yaml").write_text(RECIPE, "utf-8")
    return tmp_path / "chat.yaml"


def test_without_colour_what_is_learned_stands_between_marks(call, recipe, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    said = call("check", recipe)
    assert said.code == 0
    assert "\x1b" not in said.out
    learned = [part.partition("⟧")[0] for part in said.out.split("⟦")[2:]]
    assert len(learned) == 3
    assert all(part.startswith("您好，包裹") and part.endswith("。<|im_end|>") for part in learned)
    assert all(width(line) <= 80 for line in said.out.splitlines())


def test_with_colour_there_are_no_marks(call, recipe, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    said = call("check", recipe)
    assert "\x1b[1;32m您好，包裹" in said.out
    assert "⟦" not in said.out


def test_json_has_the_tokens_of_every_piece(call, recipe):
    plan = call("check", recipe, "--json").json["plan"]
    first = plan["examples"][0]
    assert first["place"].startswith("rows.jsonl:")
    read, learned = first["pieces"][:2]
    assert (read["learned"], learned["learned"]) == (False, True)
    assert read["text"].endswith("<|im_start|>assistant\n")
    assert learned["text"].startswith("您好")
    assert all(piece["ids"] for piece in (read, learned))


def test_the_middle_of_a_long_text_is_left_out(call, recipe, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    file = recipe.parent / "rows.jsonl"
    file.write_text(file.read_text("utf-8").replace("请问", "a" * 900), "utf-8")
    said = call("check", recipe, "--set", "data.max_length=2048", "--set", "model.context=2048")
    assert "……" in said.out
    assert len(said.out) < 3000
