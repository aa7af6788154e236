"""The best weights are kept, training ends when it is in vain, and a cut changes neither."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tunesmith.core.events import Evaluated, Finished, Step
from tunesmith.core.recipe import EarlyStopping, Train
from tunesmith.train.loop import Readers, train
from tunesmith.train.selection import Selection

State = Callable[[Any], dict[str, torch.Tensor]]


def learn(
    work: Any, learner: Any, folder: Path, seen: list[Any], state: State, **settings: Any
) -> Iterator[Any]:
    """Train by scores that are best in the middle, and note the weights that had them."""

    def evaluate() -> dict[str, float]:
        seen.append(state(learner))
        weight = float(sum(value.double().abs().sum() for value in seen[-1].values()))
        return {"size": -abs(weight - learn.aim)}  # type: ignore[attr-defined]

    given = {"batch_size": 8, "epochs": 4, "precision": "float32", "evaluate_every": 2, **settings}
    return train(
        learner, work.task, work.examples,
        settings=Train(**given), seed=3, folder=folder, readers=Readers(evaluate=evaluate),
    )  # fmt: skip


@pytest.fixture
def aim(classify: Any, tmp_path: Path, state: State) -> None:
    """Let the score be best at the fourth evaluation of seven."""
    learn.aim = 0.0  # type: ignore[attr-defined]
    seen: list[Any] = []
    list(learn(classify, classify.build(), tmp_path / "aim", seen, state, ema=0.9))
    learn.aim = float(sum(v.double().abs().sum() for v in seen[3].values()))  # type: ignore[attr-defined]


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, b[name]) for name, value in a.items())


@pytest.mark.usefixtures("aim")
def test_the_weights_with_the_best_score_are_kept_though_cut_off_anywhere(
    classify: Any, tmp_path: Path, state: State
) -> None:
    chosen = {"keep": "best", "ema": 0.9, "save_every": 3}
    seen: list[Any] = []
    whole = classify.build()
    said = list(learn(classify, whole, tmp_path / "whole", seen, state, **chosen))
    scores = [event.scores["size"] for event in said if isinstance(event, Evaluated)]
    assert scores.index(max(scores)) == 3
    assert same(state(whole), seen[3])
    for cut in (2, 7, 13):
        first = classify.build()
        for event in learn(classify, first, tmp_path / str(cut), [], state, **chosen):
            if isinstance(event, Step) and event.step == cut:
                break
        second = classify.build()
        again = list(learn(classify, second, tmp_path / str(cut), [], state, **chosen))
        assert again[-1].kept == said[-1].kept == 8
        assert same(state(second), seen[3]), f"cut off after step {cut}"


@pytest.mark.usefixtures("aim")
def test_training_ends_when_it_is_in_vain(classify: Any, tmp_path: Path, state: State) -> None:
    stopping = {"early_stopping": {"patience": 2}, "ema": 0.9}
    said = list(learn(classify, classify.build(), tmp_path, [], state, **stopping))
    scores = [event for event in said if isinstance(event, Evaluated)]
    assert len(scores) == 6
    assert isinstance(said[-1], Finished)
    assert said[-1].step == scores[-1].step < next(e.steps for e in said if isinstance(e, Step))


def test_the_averaged_weights_are_evaluated_and_stay(classify: Any, tmp_path: Path, state: State) -> None:
    learn.aim = 0.0  # type: ignore[attr-defined]
    plain, averaged = classify.build(), classify.build()
    seen: list[Any] = []
    list(learn(classify, plain, tmp_path / "a", [], state))
    list(learn(classify, averaged, tmp_path / "b", seen, state, ema=0.99))
    assert same(state(averaged), seen[-1])
    assert not same(state(averaged), state(plain))


def test_a_gain_below_the_least_does_not_count(tmp_path: Path) -> None:
    selection = Selection(tmp_path, keeps=False, early=EarlyStopping(patience=2, min_delta=0.1))
    vain = []
    for step, score in enumerate((0.5, 0.7, 0.75, 0.78), 1):
        selection.see(score, step, {})
        vain.append(selection.is_in_vain)
    assert vain == [False, False, False, True]


def test_small_gains_add_up(tmp_path: Path) -> None:
    early = EarlyStopping(patience=2, min_delta=0.1)
    selection = Selection(tmp_path, keeps=False, early=early)
    for step, score in enumerate((0.5, 0.56, 0.62, 0.68, 0.74), 1):
        # What it remembers is all there is to it.
        state, selection = selection.state(), Selection(tmp_path, keeps=False, early=early)
        selection.restore(state)
        selection.see(score, step, {})
        assert not selection.is_in_vain
