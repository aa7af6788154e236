"""The model that comes with the package: small, whole, bilingual, and teachable in a moment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from safetensors import safe_open

import tunesmith
from tunesmith.core.workspace import Workspace
from tunesmith.models import catalogue, loading
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import resolve
from tunesmith.workflow import sample

NAME = "tiny-zh-en"
HAN = re.compile(r"[\u4e00-\u9fff]")
LATIN = re.compile(r"[A-Za-z]")
OPENINGS = ("从前，", "床前明月光，", "北京今天", "Once upon a time", "The cat is", "ROMEO:\n", "你好 hello ")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = resolve(NAME, Workspace(tmp_path_factory.mktemp("workspace"))).folder
    assert found is not None
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    made = loading.load(resolve(NAME, Workspace(tmp_path_factory.mktemp("workspace"))))
    assert isinstance(made, LanguageModel)
    return made


def test_it_is_small_and_stored_in_half_precision(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 12_000_000
    with safe_open(folder / "model.safetensors", framework="pt") as weights:
        tensors = [weights.get_slice(name) for name in weights.keys()]  # noqa: SIM118
        sizes = [rows * columns for rows, columns in ((*t.get_shape(), 1)[:2] for t in tensors)]
        assert {tensor.get_dtype() for tensor in tensors} == {"BF16"}
    assert 3_000_000 <= sum(sizes) <= 6_000_000
    assert catalogue.entries()[NAME].parameters == pytest.approx(sum(sizes) / 1e6, abs=0.5)


def test_its_tokenizer_knows_both_languages(model: LanguageModel) -> None:
    assert 4_000 <= model.tokenizer.get_vocab_size() <= 8_192
    for text in ("你好，世界！", "订单编号是多少？", "the quick brown fox"):
        tokens = model.tokenizer.encode(text).tokens
        assert not any(token.startswith("<0x") for token in tokens)
        assert model.tokenizer.decode(model.tokenizer.encode(text).ids) == text


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_it_continues_text_without_broken_characters(
    model: LanguageModel, opening: str, temperature: float
) -> None:
    pieces = list(model.continuation(opening, max_new_tokens=48, temperature=temperature, seed=1))
    assert "".join(pieces)
    for piece in pieces:
        assert "�" not in piece
        piece.encode("utf-8")


@pytest.mark.parametrize(("opening", "other"), [("从前，", LATIN), ("Once upon a time", HAN)])
def test_it_goes_on_in_the_language_of_the_text(
    model: LanguageModel, opening: str, other: re.Pattern[str]
) -> None:
    said = model.generate(opening, max_new_tokens=32)
    assert len(other.findall(said)) < len(said) / 10


@pytest.mark.parametrize(
    ("question", "script"),
    [("法国的首都是哪里？", HAN), ("“热”的反义词是什么？", HAN), ("Who are you?", LATIN)],
)
def test_it_answers_in_the_language_of_the_question_and_stops(
    model: LanguageModel, question: str, script: re.Pattern[str]
) -> None:
    said = model.chat(question, max_new_tokens=64)
    assert script.search(said)
    assert "<|im" not in said
    assert len(model.tokenizer.encode(said).ids) < 64


def test_its_card_says_where_it_comes_from(folder: Path) -> None:
    card = (folder / "README.md").read_text("utf-8")
    for part in ("license: apache-2.0", "tokens seen", "| step |", "recipes/pretrain-tiny.yaml", "## Limits"):
        assert part in card


def test_taught_a_little_it_answers_new_questions_in_their_language(tmp_path: Path) -> None:
    rows = sample.rows(300)
    kept = {row["family"] for row in rows[:240]}
    _write(tmp_path / "rows.jsonl", rows[:240])
    (tmp_path / "chat.yaml").write_text(RECIPE, "utf-8")
    result = tunesmith.run(tmp_path / "chat.yaml", workspace=tmp_path / "workspace")
    taught = tunesmith.load(result["release"], workspace=tmp_path / "workspace")
    assert isinstance(taught, LanguageModel)
    new = [row for row in rows[240:] if row["family"] in kept][:6]
    assert {row["language"] for row in new} == {"zh", "en"}
    for row in new:
        said = taught.chat(row["message"], max_new_tokens=24)
        assert (len(HAN.findall(said)) > len(LATIN.findall(said))) == (row["language"] == "zh"), (row, said)


RECIPE = """
task: chat
model: tiny-zh-en
data: {source: rows.jsonl, fields: {prompt: message, completion: reply}, split: {test: 0.05, validation: 0}}
train: {epochs: 1, batch_size: 8, optimizer: {name: adamw, lr: 1e-3}, schedule: cosine}
publish: {name: taught}
"""


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    import json

    lines = [json.dumps({key: row[key] for key in ("message", "reply")}, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", "utf-8")
