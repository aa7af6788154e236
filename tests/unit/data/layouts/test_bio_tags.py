"""Tags of every scheme mean spans, and spans can be written as tags again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.layouts.layout import UnfitError
from tunesmith.data.layouts.tags import decode, encode, in_tokens, join, place, tokens_of


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("B-A I-A O B-B", [(0, 2, "A"), (3, 4, "B")]),
        ("B-A B-A", [(0, 1, "A"), (1, 2, "A")]),
        ("I-A I-A B-A I-B", [(0, 2, "A"), (2, 3, "A"), (3, 4, "B")]),  # IOB1
        ("B-A I-A E-A S-B O", [(0, 3, "A"), (3, 4, "B")]),  # BIOES
        (
            "B-A L-A U-B I-B",
            [(0, 2, "A"), (2, 3, "B"), (3, 4, "B")],
        ),  # BILOU, and an I with nothing before it
        ("B-A M-A E-A", [(0, 3, "A")]),  # BMES
        ("location location O person", [(0, 2, "location"), (3, 4, "person")]),
        ("B-creative-work I-creative-work", [(0, 2, "creative-work")]),
        ("O O", []),
    ],
)
def test_tags_are_decoded(tags: str, spans: list[tuple[int, int, str]]) -> None:
    assert decode(tags.split()) == spans


@st.composite
def spans_in(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, str]]]:
    spans, at = [], 0
    for _ in range(draw(st.integers(0, 5))):
        start = at + draw(st.integers(0, 2))
        at = start + draw(st.integers(1, 3))
        spans.append((start, at, draw(st.sampled_from(["A", "B-C", "地点"]))))
    return at + draw(st.integers(0, 2)), spans


@given(case=spans_in(), ends=st.booleans())
def test_spans_survive_bio_and_bioes(case: tuple[int, list[tuple[int, int, str]]], ends: bool) -> None:
    count, spans = case
    assert decode(encode(spans, count, ends=ends)) == spans


def test_spans_that_overlap_or_cut_a_token_cannot_be_tags() -> None:
    with pytest.raises(UnfitError, match="overlap"):
        encode([(0, 2, "A"), (1, 3, "B")], 3)
    with pytest.raises(UnfitError, match="token_boundary"):
        in_tokens([{"start": 1, "end": 2, "label": "A"}], [{"start": 0, "end": 2}])


def test_chinese_tokens_are_joined_without_spaces() -> None:
    text, places = join(["我", "在", "New", "York", "，", "很", "好", "。"])
    assert text == "我在 New York ，很好。"
    assert [text[p["start"] : p["end"]] for p in places] == [
        "我",
        "在",
        "New",
        "York",
        "，",
        "很",
        "好",
        "。",
    ]
    assert place(["我", "很好"], " 我  很好") == [{"start": 1, "end": 2}, {"start": 4, "end": 6}]
    assert place(["我", "好"], "我很好") is None


def test_a_text_without_tokens_is_cut_into_words_characters_and_at_spans() -> None:
    text = "Dr.Li 去北京😀"
    spans = [{"start": 1, "end": 2, "label": "X"}]
    assert [text[t["start"] : t["end"]] for t in tokens_of(text, spans)] == [
        "D",
        "r",
        ".",
        "Li",
        "去",
        "北",
        "京",
        "😀",
    ]
