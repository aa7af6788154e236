"""How the embedded model is made: the corpus is the same every time, and the whole way leads to a model."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path

import pytest

import tunesmith
from tunesmith.models.card import read

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "recipes" / "pretraining"
SMALL = (
    "{architecture: llama, tokenizer: bpe_fallback, hidden: 16, layers: 1, heads: 2, vocab: 500, context: 64}"
)


def script(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: object) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(SCRIPTS / name), run_name="__main__")


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script(monkeypatch, "corpus.py", tmp_path / "corpus.jsonl", "--rows", 240)
    return tmp_path / "corpus.jsonl"


def texts(file: Path) -> list[str]:
    return [json.loads(line)["text"] for line in file.read_text("utf-8").splitlines()]


def test_the_corpus_is_the_same_every_time(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, "corpus.py", tmp_path / "again.jsonl", "--rows", 240)
    assert (tmp_path / "again.jsonl").read_bytes() == corpus.read_bytes()
    script(monkeypatch, "corpus.py", tmp_path / "other.jsonl", "--rows", 240, "--seed", 1)
    assert (tmp_path / "other.jsonl").read_bytes() != corpus.read_bytes()


def test_the_corpus_speaks_both_languages_and_leaves_no_slot_open(corpus: Path) -> None:
    found = texts(corpus)[:240]
    assert len(set(found)) == 240
    chinese = [text for text in found if re.search(r"[\u4e00-\u9fff]", text)]
    assert 100 < len(chinese) < 200
    assert not any(re.search(r"\{[a-z_0-9]+\}", text) for text in found)
    for text in found:
        assert text.count("<|im_start|>") == text.count("<|im_end|>")


def test_free_texts_are_read_where_they_lie(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch, "corpus.py", tmp_path / "corpus.jsonl", "--rows", 20, "--shared", shared_data)
    found = "\n".join(texts(tmp_path / "corpus.jsonl"))
    for part in ("First Citizen:", "Alice was beginning", "学而时习之"):
        assert part in found
    assert "Project Gutenberg License" not in found


def test_the_recipe_and_the_package_script_make_a_model(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tunesmith.run(
        ROOT / "recipes" / "pretrain-tiny.yaml",
        overrides=[f"model={SMALL}", f"data.source={corpus}", "train.epochs=0.05"],
        workspace=tmp_path / "workspace",
    )
    made = tmp_path / "made"
    script(monkeypatch, "package.py", result["path"], corpus, made)
    model = tunesmith.load(str(made))
    assert isinstance(model, tunesmith.LanguageModel)
    assert model.contract.template.startswith("{{ bos_token }}")
    assert model.context == read(made).context == 64
    before = tunesmith.load(result["release"], workspace=tmp_path / "workspace")
    assert isinstance(before, tunesmith.LanguageModel)
    messages = [{"role": "user", "content": "你好"}]
    assert model.contract.encode(model.tokenizer, messages) == before.contract.encode(
        before.tokenizer, messages
    )
    assert "tokens seen" in (made / "README.md").read_text("utf-8")
