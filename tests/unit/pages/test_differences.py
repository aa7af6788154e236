"""Differences are marked, nothing is lost of short texts, and markup in texts stays text."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.pages.differences import marked


def plain(markup: str) -> str:
    return html.unescape(re.sub(r"</?mark>", "", markup))


def test_what_only_one_has_is_marked() -> None:
    assert marked("my card is lost", "my card was lost!") == (
        "my card <mark>is</mark> lost",
        "my card <mark>was</mark> lost<mark>!</mark>",
    )


def test_chinese_is_compared_by_characters() -> None:
    assert marked("银行卡丢失", "银行卡丢了") == ("银行卡丢<mark>失</mark>", "银行卡丢<mark>了</mark>")
    assert marked("Visa卡丢失", "Visa卡丢了")[0] == "Visa卡丢<mark>失</mark>"


@given(st.text(max_size=20), st.text(max_size=20))
def test_short_texts_are_there_letter_for_letter(one: str, other: str) -> None:
    first, second = marked(one, other)
    assert (plain(first), plain(second)) == (one, other)
    assert not re.search(r"<(?!/?mark>)", first + second)


def test_long_stretches_of_the_same_are_left_out_between_differences() -> None:
    same = " ".join(f"word{i}" for i in range(300))
    first, second = marked(f"a {same} b", f"c {same} d")
    assert "word150" not in first
    assert first.startswith("<mark>a</mark> word0")
    assert second.endswith("word299 <mark>d</mark>")


def test_texts_that_are_the_same_have_no_mark() -> None:
    assert marked("the same", "the same") == ("the same", "the same")
