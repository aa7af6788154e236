"""Caps, weights and balance decide how often rows are taken, by seed and content alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.recipe import Entry
from tunesmith.data.mixing import balanced, beyond_cap, copies, order

HASHES = [f"row {i}" for i in range(50)]


def test_the_order_is_a_function_of_seed_and_content() -> None:
    first = order(HASHES, 1)
    assert sorted(first.tolist()) == list(range(50))
    assert first.tolist() == order(HASHES, 1).tolist() != order(HASHES, 2).tolist()
    backwards = order(HASHES[::-1], 1)
    assert [HASHES[::-1][i] for i in backwards] == [HASHES[i] for i in first]


def test_a_cap_takes_so_many_rows_of_its_entry() -> None:
    entries = [Entry(path="a", cap=10), Entry(path="b")]
    entry_of = np.array([0] * 30 + [1] * 20)
    gone = beyond_cap(order(HASHES, 0), entry_of, entries)
    assert len(gone) == 20
    assert set(gone.tolist()) <= set(range(30))


@given(count=st.integers(0, 60), weight=st.floats(0.01, 20))
def test_a_weight_is_met_as_nearly_as_rows_allow(count: int, weight: float) -> None:
    taken = copies(count, weight)
    assert abs(taken.sum() - count * weight) <= 0.5 + 1e-9
    assert taken.max(initial=0) - taken.min(initial=taken.max(initial=0)) <= 1


@given(labels=st.lists(st.integers(0, 3), min_size=1, max_size=60), up=st.booleans(), seed=st.integers(0, 9))
def test_balanced_labels_have_the_same_number_of_rows(labels: list[int], up: bool, seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    numbers = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    taken = balanced(shuffled, numbers, np.ones(len(labels), np.int64), up=up)
    totals = np.bincount(numbers, weights=taken)
    sizes = np.bincount(numbers)
    assert set(totals) == {sizes.max() if up else sizes.min()}
    assert taken.min() >= (1 if up else 0)
