"""Which rows are learned together: a function of seed and step, every row once an epoch, little padding."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.train.batches import Batches, counted, micro

LENGTHS = np.random.default_rng(0).integers(1, 200, 1000)


def batches(seed: int = 0, size: int = 16, lengths: np.ndarray = LENGTHS) -> Batches:
    return Batches(lengths, size, seed)


@given(rows=st.integers(1, 300), size=st.integers(1, 64), seed=st.integers(0, 2**63 - 1))
def test_every_row_is_learned_once_an_epoch(rows: int, size: int, seed: int) -> None:
    made = batches(seed, size, LENGTHS[:rows])
    for epoch in (0, 1):
        steps = range(epoch * made.per_epoch, (epoch + 1) * made.per_epoch)
        found = np.concatenate([made.at(step) for step in steps])
        assert sorted(found) == list(range(rows))
    assert max(len(made.at(step)) for step in range(made.per_epoch)) <= size


def test_a_step_has_the_same_rows_whenever_it_is_asked_for() -> None:
    forward = [batches().at(step).tolist() for step in range(150)]
    made = batches()
    backward = [made.at(step).tolist() for step in reversed(range(150))][::-1]
    assert forward == backward


def test_another_seed_and_another_epoch_have_another_order() -> None:
    first = [batches(0).at(step).tolist() for step in range(63)]
    assert first != [batches(1).at(step).tolist() for step in range(63)]
    assert first != [batches(0).at(step + 63).tolist() for step in range(63)]


def test_rows_of_similar_length_are_together_and_little_is_padding() -> None:
    made = batches()
    padded = sum(len(b) * LENGTHS[b].max() for b in (made.at(step) for step in range(made.per_epoch)))
    assert padded / LENGTHS.sum() < 1.1


def test_lengths_do_not_come_in_order() -> None:
    made = batches()
    means = [LENGTHS[made.at(step)].mean() for step in range(made.per_epoch)]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.5


@given(tokens=st.integers(1, 2000), rows=st.lists(st.integers(0, 999), min_size=1, max_size=40, unique=True))
def test_parts_hold_every_row_once_and_never_too_many_tokens(tokens: int, rows: list[int]) -> None:
    parts = list(micro(rows, LENGTHS, tokens))
    assert sorted(i for part in parts for i in part) == sorted(rows)
    assert all(len(part) == 1 or len(part) * LENGTHS[part].max() <= tokens for part in parts)


@given(tokens=st.integers(1, 2000), shared=st.integers(0, 300))
def test_what_all_rows_begin_with_counts_once_in_a_part(tokens: int, shared: int) -> None:
    lengths = LENGTHS + shared
    parts = list(micro(range(40), lengths, tokens, shared=shared))
    assert sorted(i for part in parts for i in part) == list(range(40))
    laid = [shared + len(part) * counted(lengths[part].max(), shared) for part in parts]
    assert all(len(part) == 1 or count <= tokens for part, count in zip(parts, laid, strict=True))
    grown = [shared + (len(part) + 1) * counted(lengths[after[0]], shared) for part, after in pairwise(parts)]
    assert all(count > tokens for count in grown)


@pytest.mark.parametrize("order", [1, -1])
def test_parts_do_not_depend_on_the_order_of_the_rows(order: int) -> None:
    rows = list(range(40))[::order]
    assert list(micro(rows, LENGTHS, 500)) == list(micro(range(40), LENGTHS, 500))
