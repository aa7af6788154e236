"""Which rows are learned together: a function of seed and step, every row once an epoch, in no order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.train.batches import Batches, Cut, counted

LENGTHS = np.random.default_rng(0).integers(1, 200, 1000)


def batches(seed: int = 0, size: int = 16, rows: int = len(LENGTHS)) -> Batches:
    return Batches(rows, size, seed)


@given(rows=st.integers(1, 300), size=st.integers(1, 64), seed=st.integers(0, 2**63 - 1))
def test_every_row_is_learned_once_an_epoch(rows: int, size: int, seed: int) -> None:
    made = batches(seed, size, rows)
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


def test_rows_of_all_lengths_are_together() -> None:
    """As many short ones in one step as in another, so that a token counts as much in each."""
    made = batches()
    means = np.array([LENGTHS[made.at(step)].mean() for step in range(made.per_epoch - 1)])
    assert means.std() == pytest.approx(LENGTHS.std() / 4, rel=0.25)
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.5


SOME = st.lists(st.integers(0, 999), min_size=1, max_size=40, unique=True)


@given(tokens=st.integers(1, 2000), rows=SOME, pads=st.booleans())
def test_parts_hold_every_row_once_and_never_too_many_tokens(
    tokens: int, rows: list[int], pads: bool
) -> None:
    parts = Cut(tokens=tokens, pads=pads).parts(rows, LENGTHS)
    assert sorted(i for part in parts for i in part) == sorted(rows)
    for part in parts:
        laid, padded = LENGTHS[part].sum(), len(part) * LENGTHS[part].max()
        assert len(part) == 1 or (padded if pads else laid) <= tokens


@given(tokens=st.integers(1, 2000), shared=st.integers(0, 300))
def test_what_all_rows_begin_with_counts_once_in_a_part(tokens: int, shared: int) -> None:
    lengths, cut = LENGTHS + shared, Cut(tokens=tokens, shared=shared)
    parts = cut.parts(range(40), lengths)
    assert sorted(i for part in parts for i in part) == list(range(40))
    laid = [shared + sum(counted(lengths[i], shared) for i in part) for part in parts]
    assert all(len(part) == 1 or count <= tokens for part, count in zip(parts, laid, strict=True))
    grown = [
        count + counted(lengths[after[0]], shared) for count, after in zip(laid, parts[1:], strict=False)
    ]
    assert all(count > tokens for count in grown)


@pytest.mark.parametrize("order", [1, -1])
def test_parts_do_not_depend_on_the_order_of_the_rows(order: int) -> None:
    rows, cut = list(range(40))[::order], Cut(tokens=500)
    assert cut.parts(rows, LENGTHS) == cut.parts(range(40), LENGTHS)


def test_there_are_as_many_parts_as_processes() -> None:
    parts = Cut(tokens=10_000).parts(range(8), LENGTHS, least=3)
    assert sorted(len(part) for part in parts) == [2, 3, 3]
    assert len(Cut(tokens=10_000).parts(range(2), LENGTHS, least=3)) == 2
