"""The event log: what was said is read back, torn lines are left out, what is learned again is said once."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math

import pytest

from tunesmith.core.events import (
    KINDS,
    Answer,
    Completed,
    Evaluated,
    EventLog,
    Failed,
    Finished,
    Resumed,
    Sampled,
    Saved,
    Skipped,
    StageFinished,
    StageStarted,
    Step,
    Stopped,
    TrialFinished,
    TrialStarted,
    Warned,
)


def step(number, loss=1.0):
    return Step(
        step=number, steps=9, epoch=0.5, loss=loss, learning_rate=1e-4, grad_norm=0.3, tokens=7, seconds=0.1
    )


EVENTS = [
    StageStarted(stage="train", detail="llama-2x32"),
    Warned(code="D33", values={"labels": "退款"}),
    Skipped(step=2, steps=4, reason="spike", rows=["tickets.csv:3", "tickets.csv:8"]),
    Resumed(step=2, path="checkpoints/step-2"),
    step(3, loss=float(1 / 3)),
    Evaluated(step=3, scores={"accuracy": 0.5}),
    Sampled(step=3, samples=[Answer(prompt="退款", answer="好", expected=None)]),
    Saved(step=3, path="checkpoints/step-3"),
    Stopped(step=3),
    Failed(code="T01", values={"step": 4}),
    Finished(step=9, loss=0.1, kept=6),
    TrialStarted(trial=2, trials=9, values={"epochs": 2, "optimizer": "lion"}),
    TrialFinished(
        trial=2,
        values={"epochs": 2},
        state="complete",
        metric="f1",
        figure=0.1 + 0.2,
        seconds=1.0,
        curve=[[8, 0.3]],
    ),
    StageFinished(stage="train", cached=False, seconds=1.5),
    Completed(seconds=2.0),
]


@pytest.fixture
def log(tmp_path):
    return EventLog(tmp_path / "events.jsonl", clock=itertools.count(1000).__next__)


def test_every_kind_of_event_is_read_back_as_it_was_said(log):
    assert {type(event).__name__ for event in EVENTS} == set(KINDS)
    for event in EVENTS:
        log.append(event)
    assert list(log.read()) == EVENTS
    assert [record["time"] for record in log.records()] == list(range(1000, 1000 + len(EVENTS)))


def test_events_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        step(1).loss = 0.0


def test_a_log_that_is_not_there_is_empty(log):
    assert list(log.read()) == []


def test_a_torn_last_line_is_left_out(log):
    log.append(EVENTS[0])
    with log.path.open("ab") as file:
        file.write(b'{"event": "Step", "st')
    assert list(log.read()) == EVENTS[:1]


def test_a_broken_line_hides_no_other(log):
    log.append(EVENTS[0])
    with log.path.open("ab") as file:
        file.write(b'{"event": "St\n')
    log.append(EVENTS[1])
    assert list(log.read()) == EVENTS[:2]


def test_rewinding_drops_what_this_training_said_after_the_step_and_nothing_else(log):
    for event in (
        StageStarted(stage="train", detail="a"), step(1), step(2), step(3), Finished(step=3, loss=1.0),
        StageStarted(stage="train", detail="b"), step(1), Saved(step=1, path="p"), step(2),
        Evaluated(step=2, scores={}), step(3), Warned(code="D33"),
    ):  # fmt: skip
        log.append(event)
    log.rewind(1, "b")
    kept = list(log.read())
    assert [e.step for e in kept if isinstance(e, Step)] == [1, 2, 3, 1]
    assert kept[-2:] == [Saved(step=1, path="p"), Warned(code="D33")]
    assert [e.step for e in log.training("b") if isinstance(e, Step)] == [1]


def test_a_training_is_told_apart_from_the_stages_around_it(log):
    for event in (
        StageStarted(stage="data"), Warned(code="D33"), StageStarted(stage="train", detail="a"), step(1),
        StageStarted(stage="eval"), Warned(code="D34"), StageStarted(stage="train", detail="a"), step(2),
    ):  # fmt: skip
        log.append(event)
    assert list(log.training("a")) == [step(1), step(2)]


def test_a_training_that_ran_away_is_read_back_and_its_lines_are_json(log):
    said = [step(1, loss=float("inf")), Evaluated(step=1, scores={"perplexity": float("-inf")})]
    for event in said:
        log.append(event)
    log.append(Finished(step=1, loss=float("nan")))
    log.rewind(9, "")
    for line in log.path.read_text("utf-8").splitlines():
        json.loads(line, parse_constant=pytest.fail)
    *again, last = log.read()
    assert again == said
    assert math.isnan(last.loss)


def test_a_loss_is_kept_to_the_last_bit(log):
    log.append(step(1, loss=0.1 + 0.2))
    assert next(iter(log.read())).loss == 0.1 + 0.2
