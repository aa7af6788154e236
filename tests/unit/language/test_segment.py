from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.language.segment import segment, segment_all


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("我来到北京清华大学。", ["我", "来到", "北京", "清华大学"]),
        ("用Python写server，3.14元！", ["用", "Python", "写", "server", "3.14", "元"]),
        ("It's 3,000.50 o'clock in the U.S.A", ["It's", "3,000.50", "o'clock", "in", "the", "U.S.A"]),
        ("state-of-the-art, naïve", ["state", "of", "the", "art", "naïve"]),
        ("カタカナ東京", ["カタカナ", "東京"]),
        ("", []),
        (" \n。！", []),
    ],
)  # fmt: skip
def test_words_of_mixed_texts(text: str, words: list[str]) -> None:
    assert segment(text) == words


def test_punctuation_is_kept_sign_by_sign_when_wanted() -> None:
    assert segment("好，ok!!😀", punctuation=True) == ["好", "，", "ok", "!", "!", "😀"]


@given(st.text())
def test_with_punctuation_nothing_but_space_is_lost(text: str) -> None:
    kept = "".join(segment(text, punctuation=True))
    assert "".join(kept.split()) == "".join(text.split())


def test_many_texts_are_cut_as_one_by_one(shared_data: Path) -> None:
    lines = (shared_data / "mt_ntrex" / "ntrex.zh-CN.txt").read_text("utf-8").splitlines()[:100]
    assert segment_all(pl.Series([*lines, None])) == [*(segment(line) for line in lines), []]
