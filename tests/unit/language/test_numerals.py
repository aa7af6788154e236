"""Numbers in words have the values that people give them."""

from __future__ import annotations

import pytest

from tunesmith.language.numerals import numerals


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Three cards, twenty-one fees", ["3", "21"]),
        ("two hundred and five thousand one hundred", ["205100"]),
        ("the second of two halves, half of it, twice", ["2nd", "2", "1/2", "*2"]),
        ("this one", []),
        ("someone often weighs", []),
        ("三百二十元，两万五千，一亿三千万", ["320", "25000", "130000000"]),
        ("二〇二六年十二月", ["2026", "12"]),
        ("一百零五，半天", ["105", "1/2"]),
        ("统一", []),
    ],
)
def test_words_become_values(text: str, values: list[str]) -> None:
    assert numerals(text) == values
