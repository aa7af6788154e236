"""Series of a run: what is shown of them hides nothing, and what is kept of them is never wrong."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest

from tunesmith.core.events import (
    Evaluated,
    EventLog,
    Resumed,
    Saved,
    StageStarted,
    Step,
    TrialStarted,
    encode,
)
from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace
from tunesmith.studio.series import axes, keeping, reading
from tunesmith.studio.series.alerts import alerts
from tunesmith.studio.series.answers import column
from tunesmith.studio.series.buckets import buckets
from tunesmith.studio.series.known import Known
from tunesmith.studio.series.library import Library


def step(number: int, loss: float = 1.0, steps: int = 1000) -> Step:
    return Step(
        step=number, steps=steps, epoch=number / 10, loss=loss, learning_rate=0.1, grad_norm=1.0, tokens=50,
        seconds=0.5, memory=number,
    )  # fmt: skip


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return EventLog(tmp_path / "events.jsonl", iter(range(1000, 10**9)).__next__)


def losses(known: Known, training: str = "bert") -> list[float]:
    return known.track(training, "train").columns["loss"].tolist()


def test_what_is_written_meanwhile_is_read_from_where_the_reading_ended(log):
    log.append(StageStarted(stage="train", detail="bert"))
    log.append(step(1, 3.0))
    before = reading.read(log.path, Known())
    log.append(Evaluated(step=1, scores={"accuracy": 0.5}))
    log.append(step(2, math.nan))
    with log.path.open("ab") as file:
        file.write(b'{"event": "Step", "time"')  # torn
    after = reading.read(log.path, before)
    assert losses(after) == [3.0, pytest.approx(math.nan, nan_ok=True)]
    assert axes.keys(after, "bert")[0] == "train/loss"
    assert "validation/accuracy" in axes.keys(after, "bert")
    assert after.read < log.path.stat().st_size
    assert [mark.event for mark in after.marks] == ["StageStarted"]


def test_a_training_that_goes_back_leaves_no_double_points(log):
    log.append(StageStarted(stage="train", detail="bert"))
    for number in range(1, 9):
        log.append(step(number, float(number)))
    known = reading.read(log.path, Known())
    log.append(Resumed(step=4, path="-"))
    for number in (5, 6):
        log.append(step(number, -float(number)))
    assert losses(reading.read(log.path, known)) == [1, 2, 3, 4, -5, -6]
    log.rewind(4, "bert")
    log.append(step(5, 55.0))
    assert losses(reading.read(log.path, known)) == [1, 2, 3, 4, 55]


def test_each_training_has_series_of_its_own(log):
    for trial in (1, 2):
        log.append(TrialStarted(trial=trial, trials=2, values={"lr": trial}))
        log.append(StageStarted(stage="train", detail=f"bert#{trial}"))
        log.append(step(1, float(trial)))
        log.append(Saved(step=1, path="-"))
    known = reading.read(log.path, Known())
    assert known.trainings == ("bert#1", "bert#2")
    assert losses(known, "bert#2") == [2.0]
    assert [(m.event, m.training) for m in known.marks][-1] == ("Saved", "bert#2")


def test_one_spike_and_one_nan_among_a_hundred_thousand_are_seen_at_every_zoom():
    x = np.arange(100_000.0)
    y = np.sin(x)
    y[33_333], y[66_666] = 100.0, math.nan
    whole = buckets(x, y, 500, None, None)
    assert len(whole.x) <= 500
    assert whole.high.max() == 100.0
    assert whole.low.min() >= -1.0
    assert len(whole.broken) == 1
    near = buckets(x, y, 500, 33_300, 33_400)
    assert near.size == 1
    assert near.last[near.x == 33_333] == 100.0


def test_buckets_stay_where_they_are_while_a_series_grows():
    x = np.arange(5000.0)
    before, after = buckets(x[:4500], x[:4500], 400, None, None), buckets(x, x, 400, None, None)
    assert before.size == after.size
    assert before.high[:-1].tolist() == after.high[: len(before.high) - 1].tolist()


def test_no_number_is_sent_longer_than_it_is_seen_and_what_is_none_is_nothing():
    sent = column(np.array([0.123456789, -123456.789, 0.0, 3.0, 1e300, 1e-320, math.nan, math.inf]))
    assert sent == [0.1234568, -123456.8, 0.0, 3.0, 1e300, pytest.approx(0, abs=1e-300), None, None]


def test_a_long_run_is_read_before_it_is_asked_for(tmp_path):
    workspace = Workspace(tmp_path)
    run = RunFolder(workspace.runs / "bank-1")
    run.path.mkdir(parents=True)
    lines = [
        encode(StageStarted(stage="train", detail="bert"), 0.0),
        *(encode(step(n), n) for n in range(6000)),
    ]
    run.events.path.write_text("\n".join(lines) + "\n")
    library = Library(workspace)
    library.prepare([run])
    kept = workspace.cache / "series" / "bank-1.safetensors"
    end = time.monotonic() + 60
    while not kept.exists() and time.monotonic() < end:
        time.sleep(0.01)
    library.close()
    assert len(keeping.read(kept).track("bert", "train")) == 6000


def test_axes_place_evaluations_where_the_steps_were(log):
    log.append(StageStarted(stage="train", detail="bert"))
    for number in (1, 2, 3):
        log.append(step(number))
    log.append(Evaluated(step=2, scores={"accuracy": 0.5}))
    known = reading.read(log.path, Known())
    track = known.track("bert", "validation")
    assert axes.along(known, "bert", track, "tokens").tolist() == [100.0]
    assert axes.along(known, "bert", track, "epoch").tolist() == [0.2]
    assert axes.places(known, "bert", [0, 3], "tokens").tolist() == [0.0, 150.0]


def test_what_is_kept_is_read_again_and_what_is_damaged_is_not_believed(tmp_path, log):
    log.append(StageStarted(stage="train", detail="bert"))
    log.append(step(1, 2.0))
    known = reading.read(log.path, Known())
    keeping.write(tmp_path / "kept", known)
    again = keeping.read(tmp_path / "kept")
    assert (again.read, again.last, again.marks, losses(again)) == (
        known.read,
        known.last,
        known.marks,
        [2.0],
    )
    (tmp_path / "kept").write_bytes((tmp_path / "kept").read_bytes()[:-9])
    assert keeping.read(tmp_path / "kept").read == 0


def test_a_run_of_the_same_name_is_not_taken_for_the_one_before(tmp_path):
    workspace = Workspace(tmp_path)
    run = RunFolder(workspace.runs / "bank-1")
    run.path.mkdir(parents=True)
    library = Library(workspace)
    for loss in (1.0, 2.0):
        run.events.path.unlink(missing_ok=True)
        run.events.append(StageStarted(stage="train", detail="bert"))
        run.events.append(step(1, loss))
        assert losses(library.of(run)) == [loss]
    library.close()


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        ([3 - n / 200 for n in range(400)], set()),
        ([math.exp(-n / 10) for n in range(400)], {"plateau"}),
        ([math.exp(-n / 50) if n < 300 else 5.0 for n in range(400)], {"diverged"}),
        ([3 - n / 200 if n != 50 else math.inf for n in range(400)], {"not_finite"}),
    ],
    ids=["learning", "still", "diverged", "infinite"],
)
def test_alerts_name_what_a_person_would_see_in_the_curve(log, course, expected):
    log.append(StageStarted(stage="train", detail="bert"))
    for number, loss in enumerate(course, start=1):
        log.append(step(number, loss))
    assert {alert.kind for alert in alerts(reading.read(log.path, Known()))} == expected


def test_a_validation_loss_that_only_rises_is_overfitting(log):
    log.append(StageStarted(stage="train", detail="bert"))
    for number, loss in enumerate((2.0, 1.0, 1.1, 1.2, 1.4), start=1):
        log.append(step(number))
        log.append(Evaluated(step=number, scores={"loss": loss}))
    (alert,) = alerts(reading.read(log.path, Known()))
    assert (alert.kind, alert.step) == ("overfitting", 2)
