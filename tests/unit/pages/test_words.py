"""Numbers of a page never claim more than was measured, and names stay names."""

from __future__ import annotations

import math

import pytest

from tunesmith.pages.words import Speaker, breakable, number, percent


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.99999, "> 99.9 %"), (1.0, "100.0 %"), (0.00001, "< 0.1 %"), (0.0, "0.0 %"), (0.1234, "12.3 %")],
)
def test_a_share_that_is_not_everything_or_nothing_never_reads_so(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_numbers_that_are_none_are_shown_as_such() -> None:
    assert [number(value) for value in (None, math.nan, math.inf, 0.5, 1234.5)] == [
        "–", "–", "∞", "0.500", "1,234.50",
    ]  # fmt: skip


def test_a_name_with_markup_in_it_stays_text_where_it_may_break() -> None:
    assert breakable("<b>_a/b") == "&lt;b&gt;_<wbr>a/<wbr>b"


def test_sentences_are_joined_as_their_language_does_it() -> None:
    assert (Speaker("eval", "zh").gap, Speaker("eval", "en").gap) == ("", " ")
