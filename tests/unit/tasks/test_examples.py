"""Encoded rows on disk are, to the last bit, what encoding gave; nothing can change them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.tasks import examples
from tunesmith.tasks.examples import Examples
from tunesmith.tasks.task import Example


def same(found: Sequence[Example], expected: Sequence[Example]) -> None:
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a.row, a.weight, a.targets) == (b.row, b.weight, b.targets)
        assert np.array_equal(a.ids, b.ids)
        assert np.array_equal(a.target, b.target)
        assert type(a.target) is type(b.target)


@st.composite
def spoken(draw: st.DrawFn) -> Example:
    ids = draw(st.lists(st.integers(0, 60_000), max_size=20))
    learned = draw(st.lists(st.booleans(), min_size=len(ids), max_size=len(ids)))
    row, weight = draw(st.integers(0, 9)), draw(st.sampled_from([1.0, 0.25, 1 / 3]))
    return Example(row, np.array(ids, dtype=np.int32), np.array(learned, dtype=np.bool_), weight)


@given(slices=st.lists(st.lists(spoken(), max_size=5), max_size=4))
def test_masks_survive_however_rows_are_sliced(
    tmp_path_factory: pytest.TempPathFactory, slices: list[list[Example]]
) -> None:
    folder = tmp_path_factory.mktemp("tokens")
    examples.write(folder, ((part, {}) for part in slices), largest_id=60_000)
    every = [example for part in slices for example in part]
    found = Examples(folder)
    same(found, every)
    same(found.learning(), [example for example in every if example.targets])
    assert found.lengths.tolist() == [len(example.ids) for example in every]
    assert examples.lengths(found).tolist() == examples.lengths(every).tolist()


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ([[7, 7, 1, 2], [7, 7, 3], [7, 7, 1, 9, 9]], 2),
        ([[7, 7, 1], [7, 7, 1]], 2),
        ([[7, 7], [8, 7]], 0),
        ([[7, 7], []], 0),
        ([], 0),
    ],
)
def test_all_rows_begin_with_so_many_tokens_and_have_one_more(
    tmp_path: Path, rows: list[list[int]], count: int
) -> None:
    no_target = [Example(9, np.array([1], dtype=np.int32), np.zeros(1, dtype=np.bool_))]
    made = [
        Example(i, np.array(row, dtype=np.int32), np.ones(len(row), np.bool_)) for i, row in enumerate(rows)
    ]
    assert examples.common_beginning(made) == count
    if rows and all(rows):
        examples.write(tmp_path, [(no_target, {}), (made, {})], largest_id=9)
        assert examples.common_beginning(Examples(tmp_path).learning()) == count


@pytest.mark.parametrize(("largest", "bytes_per_token"), [(65_535, 2), (65_536, 4)])
def test_labels_cuts_and_large_vocabularies(tmp_path: Path, largest: int, bytes_per_token: int) -> None:
    made = [
        Example(4, np.array([0, largest], dtype=np.int32), 2, 0.5),
        Example(4, np.array([0, largest], dtype=np.int32), 2, 0.5),
        Example(9, np.array([], dtype=np.int32), 0),
    ]
    examples.write(tmp_path, [(made[:2], {4: 3}), (made[2:], {9: 1})], largest_id=largest)
    found = Examples(tmp_path)
    same(found, made)
    same(found[1:], made[1:])
    assert found[-1].row == 9
    assert found[0].ids.itemsize == bytes_per_token
    assert found.truncated() == {4: 3, 9: 1}
    assert found.rows.tolist() == [4, 4, 9]
    with pytest.raises(IndexError):
        found[3]


def test_tokens_are_views_of_the_file_that_nothing_can_write_to(tmp_path: Path) -> None:
    made = [Example(0, np.array([1, 2], dtype=np.int32), 0)]
    examples.write(tmp_path, [(made, {})], largest_id=9)
    ids = Examples(tmp_path)[0].ids
    assert ids.base is not None
    with pytest.raises(ValueError, match="read-only"):
        ids[0] = 7


def test_pairs_keep_where_the_second_answer_begins_and_what_the_starting_model_says(tmp_path: Path) -> None:
    def one(row: int, *learned: int, second: int) -> Example:
        ids = np.arange(len(learned), dtype=np.int32)
        return Example(row, ids, np.array(learned, dtype=np.bool_), second=second)

    made = [one(0, 0, 1, 0, 1, second=2), one(1, 0, 0, 0, 1, second=2), one(2, 0, 1, 1, 0, 0, 1, second=3)]
    examples.write(tmp_path, [(made, {})], largest_id=9)
    found = Examples(tmp_path).referring(np.array([[-1, -2], [-3, -4], [-5, -6]], dtype=np.float32))
    assert [example.second for example in found] == [2, 2, 3]
    # The second pair has nothing to learn in its first answer, so there is nothing to compare.
    assert [example.targets for example in found] == [1, 0, 1]
    learning = found.with_others().learning()
    assert [example.reference for example in learning] == [(-1.0, -2.0), (-5.0, -6.0)]
    assert [example.other.row for example in learning if example.other] == [1, 0]
    assert all(example.other is None for example in found)
