"""The loop says what happens, and wherever it is cut off it continues to the same bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch

from tunesmith.core.events import Evaluated, Event, Finished, Resumed, Saved, Skipped, Step, Stopped, Warned
from tunesmith.train import checkpoints
from tunesmith.train.loop import TrainingError
from tunesmith.train.losses import cross_entropy
from tunesmith.train.methods import full, lora
from tunesmith.train.optimizers import adamw

State = Callable[[Any], dict[str, torch.Tensor]]


def of(kind: type, events: list[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def until(events: Iterator[Event], step: int) -> list[Event]:
    """What is said up to the step, and then nothing more: as when the process is killed."""
    said = []
    for event in events:
        said.append(event)
        if isinstance(event, Step) and event.step == step:
            break
    events.close()  # type: ignore[attr-defined]
    return said


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, b[name]) for name, value in a.items())


def test_a_training_tells_its_story(any_work: Any, tmp_path: Path) -> None:
    events = list(any_work.train(tmp_path, save_every=3))
    steps = of(Step, events)
    total = steps[0].steps
    assert [step.step for step in steps] == list(range(1, total + 1))
    assert [event.step for event in of(Evaluated, events)] == [total // 2, total]
    saved = of(Saved, events)
    assert {event.step for event in saved} == {*range(3, total, 3)}
    assert events[-1] == Finished(step=total, loss=steps[-1].loss, kept=total)
    assert all(math.isfinite(step.loss) for step in steps)


def test_without_a_number_of_steps_it_is_saved_after_each_epoch(any_work: Any, tmp_path: Path) -> None:
    events = list(any_work.train(tmp_path, epochs=3))
    total = of(Step, events)[0].steps
    assert [event.step for event in of(Saved, events)] == [total // 3, 2 * total // 3]


def test_a_single_step_learns(any_work: Any, tmp_path: Path, state: State) -> None:
    learner = any_work.build()
    before = state(learner)
    (step,) = of(Step, list(any_work.train(tmp_path, learner, epochs=1, batch_size=64)))
    assert step.steps == 1
    assert step.learning_rate > 0
    assert not same(before, state(learner))


def test_it_learns(any_work: Any, tmp_path: Path) -> None:
    steps = of(Step, list(any_work.train(tmp_path, epochs=12, optimizer={"name": "adamw", "lr": 5e-3})))
    assert sum(s.loss for s in steps[-4:]) < 0.8 * sum(s.loss for s in steps[:4])


def test_the_same_training_gives_the_same_bytes(any_work: Any, tmp_path: Path, state: State) -> None:
    first, second = any_work.build(), any_work.build()
    said = list(any_work.train(tmp_path / "a", first))
    torch.manual_seed(99)
    assert [s.loss for s in of(Step, list(any_work.train(tmp_path / "b", second)))] == [
        s.loss for s in of(Step, said)
    ]
    assert same(state(first), state(second))


def test_other_numbers_of_threads_come_to_the_same_within_rounding(any_work: Any, tmp_path: Path) -> None:
    found = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append([s.loss for s in of(Step, list(any_work.train(tmp_path / str(threads))))])
    finally:
        torch.set_num_threads(before)
    assert found[1] == pytest.approx(found[0], rel=1e-4)
    assert found[2] == pytest.approx(found[0], rel=1e-4)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_cut_off_at_any_step_it_continues_to_the_same_bytes(
    any_work: Any, tmp_path: Path, state: State, method: str
) -> None:
    def build() -> Any:
        learner = any_work.build()
        torch.manual_seed(0)
        full(learner.backbone) if method == "full" else lora(learner.backbone, rank=2, dropout=0.1)
        return learner

    whole = build()
    said = of(Step, list(any_work.train(tmp_path / "whole", whole, save_every=2)))
    expected = state(whole)
    for step in range(1, len(said) + 1):
        folder = tmp_path / str(step)
        until(any_work.train(folder, build(), save_every=2), step)
        learner = build()
        events = list(any_work.train(folder, learner, save_every=2))
        assert same(state(learner), expected), f"cut off after step {step}"
        begun = events[0].step if isinstance(events[0], Resumed) else 0
        assert [s.loss for s in of(Step, events)] == [s.loss for s in said[begun:]]
        assert begun >= step - 2


def test_a_damaged_checkpoint_costs_steps_and_not_the_result(
    classify: Any, tmp_path: Path, state: State
) -> None:
    whole, learner = classify.build(), classify.build()
    list(classify.train(tmp_path / "whole", whole, save_every=2))
    until(classify.train(tmp_path / "cut", classify.build(), save_every=2), 5)
    newest = checkpoints.newest(tmp_path / "cut")
    assert newest is not None
    (newest.path / "weights.safetensors").write_bytes(b"damaged")
    warned, resumed, *_ = classify.train(tmp_path / "cut", learner, save_every=2)
    assert isinstance(warned, Warned)
    assert (warned.code, Path(warned.values["path"]).name) == ("T05", f"damaged-{newest.path.name}")
    assert Path(warned.values["path"]).exists()
    assert isinstance(resumed, Resumed)
    assert resumed.step < newest.step
    assert same(state(learner), state(whole))


def test_stopping_saves_and_says_so_and_can_be_continued(classify: Any, tmp_path: Path, state: State) -> None:
    whole, learner = classify.build(), classify.build()
    list(classify.train(tmp_path / "whole", whole))
    asked = count(1)
    events = list(classify.train(tmp_path / "cut", classify.build(), stop=lambda: next(asked) == 3))
    assert events[-2:] == [Saved(step=3, path=str(tmp_path / "cut" / "step-00000003")), Stopped(step=3)]
    again = list(classify.train(tmp_path / "cut", learner))
    assert again[0] == Resumed(step=3, path=events[-2].path)
    assert same(state(learner), state(whole))


def test_a_stop_at_the_last_step_is_a_finish(classify: Any, tmp_path: Path) -> None:
    total = of(Step, list(classify.train(tmp_path / "a")))[0].steps
    asked = count(1)
    events = list(classify.train(tmp_path / "b", stop=lambda: next(asked) == total))
    assert isinstance(events[-1], Finished)


def test_without_a_rhythm_a_minute_of_work_is_saved(classify: Any, tmp_path: Path) -> None:
    events = list(classify.train(tmp_path, epochs=1, clock=count(0, 2).__next__))
    seconds = [step.seconds for step in of(Step, events)]
    assert seconds == [2] * len(seconds)
    assert of(Saved, events) == []
    ticks = iter(range(0, 10_000, 25))
    assert of(Saved, list(classify.train(tmp_path / "b", epochs=1, clock=ticks.__next__)))


def test_a_loss_that_is_no_number_stops_with_the_last_good_checkpoint_and_untouched_weights(
    classify: Any, tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = classify.build()
    good = iter([True] * (3 + COMPARED))
    monkeypatch.setitem(BREAKS, "now", lambda: not next(good, False))
    events: list[Event] = []
    with pytest.raises(TrainingError) as caught:
        events.extend(classify.train(tmp_path, learner, save_every=1, loss=f"{__name__}:breaking"))
    problem = caught.value.problems[0]
    assert (problem.code, problem.values["step"]) == ("T01", 4)
    newest = checkpoints.newest(tmp_path)
    assert newest is not None
    assert (newest.step, problem.values["checkpoint"]) == (3, str(newest.path))
    assert problem.values["rows"]
    other = classify.build()
    parameters = dict(other.module.named_parameters())
    checkpoints.restore(newest, parameters, adamw(parameters.values()))
    assert same(state(learner), state(other))


def test_bad_steps_are_passed_over_with_their_rows_and_leave_no_trace(
    classify: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    learner = classify.build()
    bad, calls, states = {3, 4}, count(1 - COMPARED), {}
    monkeypatch.setitem(BREAKS, "now", lambda: next(calls) in bad)
    settings = {"on_bad_step": "skip", "loss": f"{__name__}:breaking", "schedule": "constant"}
    events = []
    for event in classify.train(tmp_path, learner, **settings):
        events.append(event)
        if isinstance(event, Step | Skipped):
            states[event.step] = state(learner)
    skipped = of(Skipped, events)
    assert [event.step for event in skipped] == [3, 4]
    assert same(states[2], states[4])
    assert not same(states[4], states[5])
    assert all(event.reason == "not_finite" and event.rows for event in skipped)
    assert isinstance(events[-1], Finished)
    assert math.isfinite(events[-1].loss)
    assert all(torch.isfinite(value).all() for value in states[8].values())


def test_more_than_three_bad_steps_in_a_row_end_it_wherever_it_was_cut_off(
    classify: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"on_bad_step": "skip", "loss": f"{__name__}:breaking", "save_every": 1}
    calls = count(1 - COMPARED)
    monkeypatch.setitem(BREAKS, "now", lambda: next(calls) > 2)
    said: list[Event] = []
    for event in classify.train(tmp_path, **settings):
        said.append(event)
        if isinstance(event, Saved) and event.step == 4:
            break
    with pytest.raises(TrainingError) as caught:
        said.extend(classify.train(tmp_path, **settings))
    assert (caught.value.problems[0].code, caught.value.problems[0].values["step"]) == ("T04", 6)


def test_a_loss_far_above_the_usual_stops_where_that_is_asked_for(
    classify: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = count(1 - COMPARED)
    monkeypatch.setitem(BREAKS, "now", lambda: next(calls) == 20)
    monkeypatch.setitem(FACTOR, "bad", 100.0)
    settings = {"loss": f"{__name__}:breaking", "epochs": 6}
    with pytest.raises(TrainingError) as caught:
        list(classify.train(tmp_path / "watched", spike=5, **settings))
    problem = caught.value.problems[0]
    assert (problem.code, problem.values["step"]) == ("T03", 20)
    assert float(problem.values["loss"]) > 5 * float(problem.values["usual"])
    calls = count(1 - COMPARED)
    assert isinstance(list(classify.train(tmp_path / "not", **settings))[-1], Finished)


# The fast backbone and the slow one are asked once each before the first step.
COMPARED = 2
BREAKS: dict[str, Callable[[], bool]] = {"now": lambda: False}
FACTOR = {"bad": math.inf}


def breaking(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Cross-entropy that gives infinity, or much, when the test wants it."""
    return cross_entropy(logits, target) * (FACTOR["bad"] if BREAKS["now"]() else 1)
