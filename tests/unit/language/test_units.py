"""Units of texts: words, signs, and Chinese characters one by one."""

from __future__ import annotations

import pytest

from tunesmith.language.units import is_close, units


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Redondo Beach, 1990s!", ["Redondo", "Beach", ",", "1990s", "!"]),
        ("don't @me_2", ["don", "'", "t", "@", "me", "_", "2"]),
        ("iPhone手机，很好", ["iPhone", "手", "机", "，", "很", "好"]),
        ("cafe\u0301 au lait", ["cafe\u0301", "au", "lait"]),
        ("𠮷野家😀", ["𠮷", "野", "家", "😀"]),
        (" \t\n", []),
    ],
)
def test_a_text_is_cut_into_words_signs_and_characters(text: str, wanted: list[str]) -> None:
    assert [text[start:end] for start, end in units(text)] == wanted


def test_no_space_stands_between_chinese_characters() -> None:
    assert [is_close(character) for character in "中か，。a1 ,"] == [True] * 4 + [False] * 4
