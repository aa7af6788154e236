"""The training loop: a generator that yields what happened. Printing, saving logs and charts are its readers.

It knows steps, checkpoints and when to stop, and nothing of data but encoded examples.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.core.errors import TunesmithError
from tunesmith.core.events import Evaluated, Event, Finished, Resumed, Saved, Step, Stopped
from tunesmith.core.recipe import Train
from tunesmith.tasks.task import Example, Learner, Task
from tunesmith.train import checkpoints
from tunesmith.train.stepper import NotFiniteError, Stepper

# Without `save_every`, at most this much work is lost to a crash.
_SAVE_SECONDS = 60.0
_SHOWN = 8


class TrainingError(TunesmithError):
    """Training cannot go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """What the loop asks of the outside: scores now and then, whether to stop, and the time."""

    evaluate: Callable[[], Mapping[str, float]]
    stop: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.monotonic


def train(
    learner: Learner,
    task: Task,
    examples: Sequence[Example],
    *,
    settings: Train,
    seed: int,
    folder: Path,
    readers: Readers,
) -> Iterator[Event]:
    """Train `learner` in place, from the newest checkpoint in `folder` if there is one.

    Raises:
        TrainingError: T01 when the loss or a gradient is not finite; the weights are those of the last step.
    """
    stepper = Stepper(learner, task, examples, settings, seed, readers.clock)
    start = 0
    if found := checkpoints.newest(folder):
        checkpoints.restore(found, stepper.parameters, stepper.optimizer)
        stepper.backbone.renew()
        start = found.step
        yield Resumed(step=start, path=str(found.path))
    saved, loss = readers.clock(), float("nan")
    for number in range(start, stepper.steps):
        step = _step(stepper, number, folder)
        loss = step.loss
        yield step
        done = step.step
        epoch_ends = done % stepper.batches.per_epoch == 0 or done == stepper.steps
        if epoch_ends:
            yield Evaluated(step=done, scores=readers.evaluate())
        stopping = readers.stop()
        due = _due(settings, done, readers.clock() - saved)
        if done < stepper.steps and (stopping or epoch_ends or due):
            made = checkpoints.save(folder, done, stepper.parameters, stepper.optimizer)
            saved = readers.clock()
            yield Saved(step=done, path=str(made.path))
        if stopping and done < stepper.steps:
            yield Stopped(step=done)
            return
    yield Finished(step=stepper.steps, loss=loss)


def _due(settings: Train, step: int, waited: float) -> bool:
    every = settings.save_every
    return step % every == 0 if every else waited >= _SAVE_SECONDS


def _step(stepper: Stepper, number: int, folder: Path) -> Step:
    try:
        return stepper.step(number)
    except NotFiniteError as error:
        found = checkpoints.newest(folder)
        raise TrainingError(
            "T01",
            step=number + 1,
            rows=", ".join(map(str, error.rows[:_SHOWN])),
            checkpoint=str(found.path) if found else "-",
        ) from error
