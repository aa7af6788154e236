"""Texts as tokens that know their units."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.models import pieced, tokenizer

TEXTS = ("The Redondo-Beach parcel, naïve 😀!", "快递三天没动了，iPhone 什么时候能到？")


@pytest.mark.parametrize("kind", ["bpe", "bpe_fallback", "wordpiece", "unigram"])
def test_every_token_lies_within_the_unit_it_belongs_to(kind: str) -> None:
    tokens = tokenizer.train(pieced.words(TEXTS), vocab=600, kind=kind)
    for text, row in zip(TEXTS, pieced.encode(tokens, TEXTS), strict=True):
        assert sorted(set(row.of.tolist())) == list(range(len(row.units)))
        assert row.first.sum() == len(row.units)
        for at, (start, end) in enumerate(row.units):
            assert tokens.decode(row.ids[row.of == at].tolist()).strip() == text[start:end]


def test_a_text_in_parts_is_whole_and_no_unit_is_cut() -> None:
    of = np.array([0, 0, 0, 1, 2, 2, 3, 4, 4, 4], dtype=np.int32)
    row = pieced.Pieced(np.arange(10, dtype=np.int32), of, [(i, i + 1) for i in range(5)])
    assert list(pieced.windows(row, 20)) == [(0, 10)]
    assert list(pieced.windows(row, 5)) == [(0, 4), (4, 7), (7, 10)]
    assert list(pieced.windows(row, 2)) == [(0, 2), (2, 4), (4, 6), (6, 7), (7, 9), (9, 10)]


def test_parts_that_overlap_repeat_what_stands_before_their_edge() -> None:
    row = pieced.Pieced(
        np.arange(10, dtype=np.int32), np.arange(10, dtype=np.int32), [(i, i + 1) for i in range(10)]
    )
    assert list(pieced.windows(row, 4, 2)) == [(0, 4), (2, 6), (4, 8), (6, 10)]


def test_an_empty_text_has_no_parts() -> None:
    tokens = tokenizer.train(TEXTS, vocab=400)
    (row,) = pieced.encode(tokens, [" "])
    assert list(pieced.windows(row, 8)) == []


def test_the_frame_is_what_stands_around_a_text() -> None:
    tokens = tokenizer.train(TEXTS, vocab=400)
    before, after = pieced.frame(tokens)
    assert [tokens.id_to_token(i) for i in (*before, *after)] == ["<s>", "</s>"]
