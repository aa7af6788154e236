"""Streams: every token of every row is there once, in its place, and common beginnings are laid once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.train.backbones.packing import pack

LENGTHS = st.lists(st.integers(1, 70), min_size=1, max_size=12)


def rows_of(lengths: list[int], common: int) -> list[Any]:
    rng = np.random.default_rng(len(lengths))
    beginning = rng.integers(0, 9, common)
    return [np.concatenate([beginning, [100 + i], rng.integers(0, 9, n)]) for i, n in enumerate(lengths)]


@given(lengths=LENGTHS, common=st.sampled_from([0, 3, 16, 40]), causal=st.booleans())
def test_the_stream_gives_back_the_rows(lengths: list[int], common: int, causal: bool) -> None:
    rows = rows_of(lengths, common)
    packed = pack(rows, causal=causal)
    assert torch.equal(packed.ids[packed.where], torch.from_numpy(np.concatenate(rows)))
    places = torch.cat([torch.arange(len(row)) for row in rows])
    assert torch.equal(packed.positions[packed.where], places)


@given(lengths=LENGTHS, common=st.sampled_from([0, 16]), causal=st.booleans())
def test_every_token_is_in_one_block(lengths: list[int], common: int, causal: bool) -> None:
    packed = pack(rows_of(lengths, common), causal=causal)
    blocks = packed.segments
    seen = [block.places.flatten() if block.real is None else block.places[block.real] for block in blocks]
    assert sorted(torch.cat(seen).tolist()) == list(range(len(packed.ids)))


def test_a_beginning_is_laid_once_where_attention_looks_back_only() -> None:
    rows = rows_of([5, 9, 30], 20)
    assert len(pack(rows, causal=True).ids) == sum(map(len, rows)) - 2 * 20
    assert len(pack(rows, causal=False).ids) == sum(map(len, rows))


@pytest.mark.parametrize(("common", "saved"), [(0, 0), (15, 0), (16, 16), (31, 31)])
def test_short_beginnings_are_not_shared(common: int, saved: int) -> None:
    rows = rows_of([4, 8], common)
    assert sum(map(len, rows)) - len(pack(rows, causal=True).ids) == saved


def test_equal_rows_keep_a_token_of_their_own() -> None:
    row = np.arange(20)
    assert len(pack([row, row], causal=True).ids) == 19 + 2
    assert len(pack([row], causal=True).ids) == 20


def test_each_pair_of_neighbours_may_share_a_beginning_of_its_own() -> None:
    rows = [row + 10 * pair for pair in range(3) for row in rows_of([5, 9], 20 + 7 * pair)]
    packed = pack([*rows, np.arange(4)], causal=True)
    assert sum(map(len, rows)) + 4 - len(packed.ids) == 20 + 27 + 34
    assert sorted(len(block.prefix) for block in packed.segments if block.prefix) == [20, 20, 27, 27, 34, 34]
