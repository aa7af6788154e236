"""The data card: licences named beside the files, sizes, and front matter that hubs read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith.core import text
from tunesmith.data.profile import File, markdown
from tunesmith.data.profile.card import licences, size


@pytest.mark.parametrize(
    ("folder", "name"),
    [("cls_banking77", "CC-BY-4.0"), ("qa_cmrc2018_dev", "CC-BY-SA-4.0"), ("math_gsm8k_train", "MIT"),
     ("sft_alpaca_demo", "Apache-2.0"), ("slot_snips", "CC0-1.0")],
)  # fmt: skip
def test_the_licence_of_real_sets_is_named(shared_data: Path, folder: str, name: str) -> None:
    found = licences([File(path=shared_data / folder / "rows.csv")])
    assert name in {entry["name"] for entry in found if entry["file"].upper().startswith("LICEN")}


def test_no_document_names_no_licence(tmp_path: Path) -> None:
    assert licences([File(path=tmp_path / "rows.csv")]) == []


def test_a_file_is_described_with_size_and_digest(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"text\nhello\n")
    found = File(path=path, rows=1).described()
    assert (found["bytes"], found["sha256"]) == (11, hashlib.sha256(b"text\nhello\n").hexdigest())


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_the_card_is_markdown_with_front_matter(profile_of: Callable[..., dict[str, Any]], lang: str) -> None:
    rows = ["这是一句普通的中文句子"] * 3
    said = markdown(profile_of("text", all=pl.DataFrame({"text": rows})), lang)
    assert said.startswith("---\nlanguage:\n- zh\nsize_categories:\n- n<1K\n---\n# rows.csv\n")
    assert ("重复 2 行" if lang == "zh" else "repeated rows: 2") in said


def test_sizes_are_for_people() -> None:
    assert [size(n) for n in (None, 12, 2_500, 3_400_000, 5_000_000_000)] == [
        "–", "12 B", "2.5 kB", "3.4 MB", "5.0 GB",
    ]  # fmt: skip
