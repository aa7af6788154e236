"""What a search asks is a function of the seed and of the trials before; so is when a trial is in vain."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tunesmith.core.errors import MissingError
from tunesmith.core.events import TrialFinished
from tunesmith.train import asking

LORA = {"name": "lora", "rank": 4}
SPACE = {
    "optimizer.lr": {"log": [1e-5, 1e-3]},
    "clip": {"float": [0.5, 2.0]},
    "epochs": {"int": [1, 4]},
    "method": {"choice": ["full", LORA]},
}


def finished(number: int, values: dict[str, Any], figure: float | None, **more: Any) -> TrialFinished:
    state = more.pop("state", "complete" if figure is not None else "failed")
    return TrialFinished(
        trial=number, values=values, state=state, metric="f1", figure=figure, seconds=1.0, **more
    )


def search(count: int, seed: int = 0, tried: tuple[TrialFinished, ...] = ()) -> list[TrialFinished]:
    """A search in which the largest rate is best, and every seventh trial fails."""
    made = list(tried)
    while len(made) < count:
        values = asking.ask(SPACE, made, seed=seed, higher=True)
        made.append(finished(len(made) + 1, values, None if len(made) % 7 == 6 else values["optimizer.lr"]))
    return made


def test_a_search_that_goes_on_asks_what_it_would_have_asked() -> None:
    whole = search(14)
    for cut in (2, 9):
        assert search(14, tried=tuple(whole[:cut])) == whole
    assert [one.values for one in search(2, seed=1)] != [one.values for one in whole[:2]]


def test_values_are_within_their_ranges_and_come_to_what_does_well() -> None:
    made = search(24)
    for one in made:
        assert 1e-5 <= one.values["optimizer.lr"] <= 1e-3
        assert 0.5 <= one.values["clip"] <= 2
        assert one.values["epochs"] in (1, 2, 3, 4)
        assert one.values["method"] in ("full", LORA)
    rates = sorted(one.values["optimizer.lr"] for one in made[asking.DRAWN :])
    assert rates[len(rates) // 2] > 1e-4  # the middle of the range, of drawn ones


def test_the_best_is_the_first_of_those_that_are_alike() -> None:
    made = [finished(n, {}, figure) for n, figure in enumerate((0.5, None, 0.7, 0.7, 0.1), 1)]
    assert [getattr(asking.best(made, higher=higher), "trial", 0) for higher in (True, False)] == [3, 5]
    assert asking.best(made[1:2], higher=True) is None


def test_a_trial_is_in_vain_when_half_of_the_others_had_done_better_by_then() -> None:
    curves = [[[8, 0.1 * n], [16, 0.9]] for n in range(1, 6)]
    others = [finished(n, {}, 0.9, curve=curve) for n, curve in enumerate(curves, 1)]
    assert asking.is_poor([[8, 0.29]], others, higher=True)
    assert not asking.is_poor([[8, 0.31]], others, higher=True)
    assert not asking.is_poor([[4, 0.9], [8, 0.2]], others, higher=True)
    assert asking.is_poor([[8, 0.31]], others, higher=False)
    assert not asking.is_poor([[8, 0.0]], others[: asking.COMPARED - 1], higher=True)
    early = [dataclasses.replace(one, state="pruned", figure=None) for one in others]
    assert not asking.is_poor([[8, 0.0]], early, higher=True)


def test_without_optuna_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "find_spec", lambda name: None)
    with pytest.raises(MissingError) as caught:
        asking.check()
    assert "tunesmith[search]" in str(caught.value)
