"""That band keys meet as often as theory says, for texts of every length."""

from __future__ import annotations

import random

import numpy as np
import polars as pl
import pytest

from tunesmith.data import minhash
from tunesmith.data.minhash import BINS, Bands, band_keys, bands_for, signatures


@pytest.mark.parametrize(("threshold", "bands"), [(0.8, (20, 6)), (0.5, (40, 3)), (0.95, (8, 14))])
def test_bands_find_the_wanted_share_of_pairs_at_the_threshold(
    threshold: float, bands: tuple[int, int]
) -> None:
    found = bands_for(threshold)
    assert (found.count, found.rows) == bands
    assert 1 - (1 - threshold**found.rows) ** found.count >= 0.995


def test_a_very_low_threshold_takes_every_bin_for_itself() -> None:
    assert bands_for(0.01) == Bands(count=BINS, rows=1)


def sharing(shared: int, own: int, dice: random.Random) -> tuple[str, str]:
    """Two texts of so many shingles in common (about) and of their own: Chinese characters never repeat."""
    letters = dice.sample([chr(code) for code in range(0x4E00, 0x9E00)], shared + 2 * own)
    common = "".join(letters[:shared])
    return common + "".join(letters[shared : shared + own]), common + "".join(letters[shared + own :])


@pytest.mark.parametrize("length", [12, 30, 80, 200, 600])
def test_bins_agree_as_often_as_the_sets_do(length: int) -> None:
    dice = random.Random(length)
    pairs = [sharing(length, length // 5, dice) for _ in range(300)]
    shared, own = length - 4, length // 5
    expected = shared / (shared + 2 * own)
    one, other = (signatures(pl.Series(texts)) for texts in zip(*pairs, strict=True))
    assert np.mean(one == other) == pytest.approx(expected, abs=0.03)


def test_both_ways_to_fill_empty_bins_give_the_same() -> None:
    dice = np.random.default_rng(1)
    smallest = dice.integers(0, 1 << 31, (50, BINS)).astype(np.uint32)
    smallest[dice.random((50, BINS)) < dice.random((50, 1)) * 0.95] = 0xFFFFFFFF
    smallest[:, 0] = 1  # no text is without a shingle
    filled = smallest != 0xFFFFFFFF
    quick, slow = minhash._from_filled(smallest, filled), minhash._from_asking(smallest, filled)
    assert (quick == slow).all()
    assert (quick[filled] == smallest[filled]).all()


def test_keys_do_not_depend_on_the_texts_beside_them() -> None:
    texts = pl.Series(
        ["the first of three texts", "短一点的中文文本", "another one that is longer than that"]
    )
    bands = bands_for(0.8)
    together = band_keys(texts, bands)
    alone = [band_keys(texts[at : at + 1], bands) for at in range(len(texts))]
    assert together.shape == (20, 3)
    assert (together == np.concatenate(alone, axis=1)).all()


def test_without_texts_there_are_no_keys() -> None:
    assert band_keys(pl.Series([], dtype=pl.String), bands_for(0.8)).shape == (20, 0)
