"""That shingles are those of characters, and that the Jaccard index is the one of sets."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.shingles import MOST_PAIRS, codes, hashes, jaccard, spread, stretches

LONG_ENOUGH = st.text(st.sampled_from("ab c好你😀"), min_size=5, max_size=60)


def similarity(one: str, other: str) -> float:
    ones, others = ({text[at : at + 5] for at in range(len(text) - 4)} for text in (one, other))
    return len(ones & others) / len(ones | others)


@given(st.lists(LONG_ENOUGH, min_size=1, max_size=8))
def test_the_jaccard_index_is_that_of_sets_of_five_characters(texts: list[str]) -> None:
    left, right = (axis.ravel() for axis in np.indices((len(texts), len(texts))))
    found = jaccard(pl.Series(texts), left, right)
    expected = [similarity(texts[a], texts[b]) for a, b in zip(left, right, strict=True)]
    assert found.tolist() == pytest.approx(expected)


def test_the_most_pairs_are_told_apart() -> None:
    texts = pl.Series(["abcdefgh", "abcdefgx"])
    left = np.arange(MOST_PAIRS) % 2
    found = jaccard(texts, left, np.zeros(MOST_PAIRS, np.int64))
    assert found.tolist() == [1.0, 0.6] * (MOST_PAIRS // 2)


def test_codes_are_code_points() -> None:
    points, starts = codes(pl.Series(["a好", "", "😀"]))
    assert points.tolist() == [ord("a"), ord("好"), ord("😀")]
    assert starts.tolist() == [0, 2, 2, 3]


def test_a_hash_depends_on_each_of_its_five_characters() -> None:
    points = np.array([97, 98, 99, 100, 101], np.uint32)
    changed = [points + (np.arange(5) == place).astype(np.uint32) for place in range(5)]
    assert len({int(hashes(each)[0]) for each in (points, *changed)}) == 6


def test_hashes_do_not_collide_often() -> None:
    points = np.random.default_rng(0).integers(0x4E00, 0x5E00, 200_000).astype(np.uint32)
    # Of 2 * 10^5 values in 2^32, five or so are expected to be equal to another.
    assert len(np.unique(hashes(points))) > len(points) - 4 - 25


def test_spread_counts_on_from_each_start() -> None:
    assert spread(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 100), st.integers(1, 10))
def test_stretches_cover_everything_within_their_bounds(sizes: list[int], most: int, of_them: int) -> None:
    found = list(stretches(np.array(sizes, np.int64), most, most_of_them=of_them))
    assert [place for start, stop in found for place in range(start, stop)] == list(range(len(sizes)))
    for start, stop in found:
        assert stop - start == 1 or sum(sizes[start:stop]) <= most
        assert stop - start <= of_them
