"""What a training takes is found without changing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tunesmith.core.recipe import Train
from tunesmith.train import footprint
from tunesmith.train.backbones import attention
from tunesmith.train.batches import Cut, counted
from tunesmith.train.footprint import Footprint
from tunesmith.train.stepper import Stepper

State = Callable[[Any], dict[str, torch.Tensor]]


def stepper(work: Any, **settings: Any) -> Stepper:
    return Stepper(work.build(), work.task, work.examples, Train(precision="float32", **settings), seed=1)


def test_what_is_kept_is_counted_once() -> None:
    linear = nn.Linear(8, 16)
    given = torch.randn(100, 8)
    once = footprint.kept(lambda: torch.tanh(linear(given)).sum())
    # The input for the weight's gradient, and the output of tanh for its own.
    assert once == given.nbytes + 100 * 16 * 4
    assert footprint.kept(lambda: linear(given).sum() + linear(given).sum()) == given.nbytes


def test_twice_the_tokens_keep_twice_as_much_beside_the_state() -> None:
    found = Footprint(state=1000, row=50, length=10)
    assert found.need(200) - 1000 == 2 * (found.need(100) - 1000)
    assert found.need(3) == found.need(10)


@pytest.mark.parametrize("beginning", [0, 60, 85])
def test_rows_that_begin_alike_are_reckoned_as_what_they_take_together(chat: Any, beginning: int) -> None:
    ids = np.random.default_rng(0).integers(5, 300, (8, 96), dtype=np.int32)
    ids[:, :beginning], ids[:, beginning] = ids[0, :beginning], range(100, 108)
    learned = np.arange(96) >= beginning
    rows = [replace(chat.examples[0], ids=each, target=learned) for each in ids]
    made = stepper(replace(chat, examples=rows))
    made.module.train()
    found = footprint.measure(made)
    assert (found.shared, found.length) == (beginning, 96)
    tokens = beginning + len(rows) * counted(96, beginning)
    kept = footprint.kept(lambda: made.objective(rows)) - sum(p.nbytes for p in made.parameters.values())
    assert kept <= found.need(tokens) - found.state <= 2 * kept


def test_micro_batches_are_filled_beside_a_row_of_more_than_half(chat: Any) -> None:
    ids = np.random.default_rng(0).integers(5, 300, (6, 96), dtype=np.int32)
    learned = np.ones(96, dtype=np.bool_)
    cut = [30, 31, 90, 93, 95, 96]
    rows = [replace(chat.examples[0], ids=i[:n], target=learned[:n]) for i, n in zip(ids, cut, strict=True)]
    made = stepper(replace(chat, examples=rows))
    made.module.train()
    found = footprint.measure(made)
    weights = sum(p.nbytes for p in made.parameters.values())
    (part, *_) = Cut(tokens=155).parts(range(6), made.lengths)
    assert [cut[i] for i in part] == [30, 31, 90]
    taken = footprint.kept(partial(made.objective, [rows[i] for i in part])) - weights
    assert taken <= found.need(155) - found.state


def test_many_short_rows_with_a_long_beginning_take_no_more_than_the_longest_do(chat: Any) -> None:
    ids = np.random.default_rng(0).integers(5, 300, (66, 96), dtype=np.int32)
    ids[:, :85] = ids[0, :85]
    # The longest three are alike for longer than all are.
    ids[:3, :90] = ids[0, :90]
    learned = np.arange(96) >= 85
    cut = [96] * 3 + [88] * 63
    rows = [replace(chat.examples[0], ids=i[:n], target=learned[:n]) for i, n in zip(ids, cut, strict=True)]
    made = stepper(replace(chat, examples=rows))
    made.module.train()
    found = footprint.measure(made)
    assert found.shared == 85
    weights = sum(p.nbytes for p in made.parameters.values())
    for part in Cut(tokens=400, shared=85).parts(range(66), made.lengths):
        taken = footprint.kept(partial(made.objective, [rows[i] for i in part])) - weights
        assert taken <= found.need(400) - found.state


@pytest.mark.parametrize(("optimizer", "held"), [("adamw", 3), ("adamw_8bit", 1.5)])
def test_the_state_is_that_of_gradients_and_two_moments(any_work: Any, optimizer: str, held: float) -> None:
    made = stepper(any_work, optimizer=optimizer)
    weights = sum(p.nbytes for p in made.parameters.values())
    assert footprint.measure(made).state == pytest.approx(held * weights, rel=0.02)
    assert footprint.measure(made).length == max(len(example.ids) for example in any_work.examples)


def test_measuring_leaves_no_trace(any_work: Any, state: State) -> None:
    touched, other = stepper(any_work), stepper(any_work)
    footprint.measure(touched)
    assert [touched.step(n).loss for n in range(3)] == [other.step(n).loss for n in range(3)]
    for name, value in state(touched.learner).items():
        assert torch.equal(value, state(other.learner)[name])


@pytest.mark.parametrize("kept_length", [0, 40, None])
def test_the_longest_row_is_reckoned_no_smaller_than_it_is(
    any_work: Any, kept_length: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stepper(any_work)
    made.module.train()
    *_, third, second, first = sorted(made.examples, key=lambda example: len(example.ids))
    monkeypatch.setattr(attention, "_KEPT_BYTES", 0)
    pair = [
        footprint.kept(partial(made.objective, rows)) for rows in ([first, second], [first, second, third])
    ]
    # As many rows as have this length together keep the weights of attention; None: the longest alone.
    length = len(first.ids) if kept_length is None else kept_length
    monkeypatch.setattr(attention, "_KEPT_BYTES", 2 * 4 * length**2)
    assert pair[1] - pair[0] <= footprint.measure(made).row
