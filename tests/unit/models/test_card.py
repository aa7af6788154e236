"""What a folder says it is: our own card, or what somebody else's config.json amounts to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.core.errors import ModelError
from tunesmith.models import card
from tunesmith.models.card import Base, Card


def test_a_card_reads_back_as_it_was_written(tmp_path: Path) -> None:
    made = Card(
        kind="classifier", task="classify", labels=("退款", "物流"), context=128,
        base=Base(name="minilm", folder="/models/minilm", weights="ab"), lineage={"data": "cd"},
    )  # fmt: skip
    made.save(tmp_path)
    assert card.read(tmp_path) == made


@pytest.mark.parametrize(
    ("config", "kind", "context"),
    [
        ({"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 2048}, "language", 2048),
        ({"architectures": ["GPT2LMHeadModel"], "n_positions": 1024}, "language", 1024),
        ({"architectures": ["BertModel"], "max_position_embeddings": 512}, "encoder", 512),
        ({"model_type": "bert"}, "encoder", 512),
    ],
)
def test_somebody_elses_folder_is_known_by_its_config(
    tmp_path: Path, config: dict[str, object], kind: str, context: int
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    found = card.read(tmp_path)
    assert (found.kind, found.context, found.task) == (kind, context, None)


@pytest.mark.parametrize(
    ("file", "content", "code"),
    [
        (None, "", "M04"),
        ("config.json", "{", "M06"),
        ("config.json", "[1]", "M06"),
        ("tunesmith.json", '{"kind": "language"}', "M06"),
        ("tunesmith.json", "\x00", "M06"),
    ],
)
def test_a_folder_without_a_model_or_with_a_damaged_one_is_told(
    tmp_path: Path, file: str | None, content: str, code: str
) -> None:
    if file:
        (tmp_path / file).write_text(content, "utf-8")
    with pytest.raises(ModelError) as caught:
        card.read(tmp_path)
    assert caught.value.problems[0].code == code
    assert caught.value.problems[0].file
