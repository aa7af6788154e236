"""That rows with a common key are paired, and that a crowd does not cost the square of its size."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tunesmith.data.buckets import candidates, distinct, pack, unpack, without

NUMBERS = st.lists(st.integers(0, 1 << 40), max_size=50).map(lambda values: np.array(values, np.int64))


def pairs(packed: NDArray[np.int64]) -> set[tuple[int, int]]:
    one, other = unpack(packed)
    return set(zip(one.tolist(), other.tolist(), strict=True))


@given(st.lists(st.integers(0, 20), max_size=40))
def test_few_rows_with_a_key_are_all_paired(keys: list[int]) -> None:
    rows = np.arange(len(keys)) * 3
    found = candidates(rows, np.array(keys, np.uint32), [], rows)
    expected = {
        (3 * a, 3 * b)
        for a in range(len(keys))
        for b in range(a + 1, len(keys))
        if keys[a] == keys[b] and keys.count(keys[a]) <= 16
    }
    assert pairs(found.few) == expected


def test_a_crowd_is_divided_by_its_other_keys() -> None:
    rows, keys = np.arange(100), np.zeros(100, np.uint32)
    found = candidates(rows, keys, [np.arange(100, dtype=np.uint32) // 2], rows)
    assert not len(found.few)
    assert pairs(found.some) == {(row, row + 1) for row in range(0, 100, 2)}


def test_of_a_crowd_alike_in_other_keys_too_each_is_paired_with_the_largest() -> None:
    rows, keys, sizes = np.arange(100), np.zeros(100, np.uint32), np.arange(100)
    sizes[40] = 1000
    found = candidates(rows, keys, [keys], sizes)
    assert pairs(found.some) == {(min(row, 40), max(row, 40)) for row in range(100) if row != 40}
    assert pairs(found.chain) == {(row, row + 1) for row in range(99)}


@given(NUMBERS)
def test_distinct_values_are_ordered(values: NDArray[np.int64]) -> None:
    assert distinct(values).tolist() == sorted(set(values.tolist()))


@given(NUMBERS, NUMBERS)
def test_known_pairs_are_left_out(values: NDArray[np.int64], known: NDArray[np.int64]) -> None:
    assert without(values, distinct(known)).tolist() == sorted(set(values.tolist()) - set(known.tolist()))


def test_a_pair_is_the_same_whichever_row_is_named_first() -> None:
    one, other = np.array([7, 1 << 31]), np.array([3, 5])
    assert pairs(pack(one, other)) == pairs(pack(other, one)) == {(3, 7), (5, 1 << 31)}
