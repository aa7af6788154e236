"""The training loop: a generator that yields what happened. Printing, saving logs and charts are its readers.

It knows steps, checkpoints and when to stop, and nothing of data but encoded examples.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tunesmith.core.errors import TunesmithError
from tunesmith.core.events import (
    Answer,
    Evaluated,
    Event,
    Finished,
    Resumed,
    Sampled,
    Saved,
    Skipped,
    Step,
    Stopped,
    Warned,
)
from tunesmith.core.memory import resident_memory_bytes
from tunesmith.core.recipe import Train
from tunesmith.tasks.task import Example, Learner, Task
from tunesmith.train import checkpoints
from tunesmith.train.fitting import Room, fit
from tunesmith.train.guard import PATIENCE, BadStepError
from tunesmith.train.parallel import ALONE, Group
from tunesmith.train.selection import Selection
from tunesmith.train.stepper import Stepper
from tunesmith.train.undisturbed import undisturbed

SAVE_SECONDS = 60.0
"""Without `save_every`, at most this much work is lost to a crash."""
_SHOWN = 8
_UNKNOWN = Room()
_CODES = {"not_finite": "T01", "spike": "T03"}


class TrainingError(TunesmithError):
    """Training cannot go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """What the loop asks of the outside: scores now and then, whether to stop, the time, where a row is.

    `answers` are a few to look at, asked for after the scores. `rank` makes one number of scores, larger for
    a better model.
    """

    evaluate: Callable[[], Mapping[str, float]]
    rank: Callable[[Mapping[str, float]], float] = lambda scores: next(iter(scores.values()))
    answers: Callable[[], Sequence[Answer]] = list[Answer]
    stop: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.monotonic
    place: Callable[[int], str] = str


def train(
    learner: Learner,
    task: Task,
    examples: Sequence[Example],
    *,
    settings: Train,
    seed: int,
    folder: Path,
    readers: Readers,
    room: Room = _UNKNOWN,
    group: Group = ALONE,
) -> Iterator[Event]:
    """Train `learner` in place, from the newest checkpoint in `folder` if there is one.

    All processes of a `group` do so; the first one evaluates and writes, and says the same as the others.

    Raises:
        TrainingError: T01 when a loss or gradient is not finite, T03 when a loss is a spike, T04 when too
            many steps in a row were so; the weights are those of the last good step.
        MemoryShortError: T06, T07 when it does not fit into the `room`.
    """
    stepper = Stepper(learner, task, examples, settings, seed, readers.clock, group)
    yield from stepper.warnings
    group = stepper.group
    # All decide by the room of the first, or they would not compute the same.
    common = Room(**group.first(lambda: asdict(room)))
    group.in_turn(lambda: fit(stepper, common))
    selection = Selection(folder, keeps=settings.keep == "best", early=settings.early_stopping, group=group)
    start = done = yield from _continue(stepper, selection, folder)
    saved, loss, pace = readers.clock(), float("nan"), _Pace()
    for number in range(start, stepper.steps):
        said = _step(stepper, number, folder, readers.place)
        if isinstance(said, Step):
            loss, said = said.loss, pace.tell(said)
        yield said
        done = said.step
        epoch_ends = done % stepper.batches.per_epoch == 0 or done == stepper.steps
        if epoch_ends or (settings.evaluate_every and done % settings.evaluate_every == 0):
            yield from _evaluate(stepper, selection, readers, done)
        # This comes before a checkpoint: from one that was made here, training would go on.
        if selection.is_in_vain:
            break
        is_due = _due(settings, done, readers.clock() - saved, epoch_ends=epoch_ends)
        stopping, due = group.any(readers.stop(), is_due)
        if done < stepper.steps and (stopping or due):
            path = _save(stepper, selection, folder, done)
            saved = readers.clock()
            yield Saved(step=done, path=path)
        if stopping and done < stepper.steps:
            yield Stopped(step=done)
            return
    kept = _settle(stepper, selection)
    yield Finished(step=done, loss=loss, kept=done if kept is None else kept)


def _continue(stepper: Stepper, selection: Selection, folder: Path) -> Generator[Event, None, int]:
    """Take over the newest checkpoint that is undamaged, if there is one; after which step it was made."""
    group = stepper.group
    for damaged in group.first(lambda: [str(path) for path in checkpoints.mend(folder)]):
        yield Warned(code="T05", values={"path": damaged})
    found = checkpoints.newest(folder)
    if found is None:
        return 0
    checkpoints.restore(found, stepper.state, stepper.optimizer, group)
    stepper.guard.restore(found.guard)
    selection.restore(found.selection)
    stepper.backbone.renew()
    yield Resumed(step=found.step, path=str(found.path))
    return found.step


def _settle(stepper: Stepper, selection: Selection) -> int | None:
    """Give the model the weights that will be saved; of which step they are, where these are the best."""
    kept = stepper.group.in_turn(lambda: selection.put(stepper.parameters))
    if kept is None and stepper.average is not None:
        stepper.average.put()
    # The weights of the first process are the ones that will be saved.
    stepper.group.finish()
    return kept


def _evaluate(stepper: Stepper, selection: Selection, readers: Readers, step: int) -> list[Event]:
    """What is said of the weights that would be saved now; the best of them are put aside."""
    with stepper.averaged(), undisturbed(stepper.module):
        scores = stepper.group.compute(lambda: dict(readers.evaluate()))
        if scores:
            selection.see(readers.rank(scores), step, stepper.parameters)
        answers = stepper.group.compute(lambda: [asdict(answer) for answer in readers.answers()])
    samples = [Sampled(step=step, samples=[Answer(**a) for a in answers])] if answers else []
    return [Evaluated(step=step, scores=scores), *samples]


class _Pace:
    """How long the steps of this process took on average, and what memory they left in use."""

    def __init__(self) -> None:
        self._steps = 0
        self._seconds = 0.0

    def tell(self, step: Step) -> Step:
        self._steps += 1
        self._seconds += step.seconds
        left = (step.steps - step.step) * self._seconds / self._steps
        return replace(step, seconds_left=left, memory=resident_memory_bytes())


def _save(stepper: Stepper, selection: Selection, folder: Path, step: int) -> str:
    states = stepper.guard.state(), selection.state()
    return str(checkpoints.save(folder, step, stepper.state, stepper.optimizer, *states, stepper.group).path)


def _due(settings: Train, step: int, waited: float, *, epoch_ends: bool) -> bool:
    every = settings.save_every
    return step % every == 0 if every else epoch_ends or waited >= SAVE_SECONDS


def _step(stepper: Stepper, number: int, folder: Path, place: Callable[[int], str]) -> Step | Skipped:
    try:
        return stepper.step(number)
    except BadStepError as error:
        rows = [place(row) for row in error.rows[:_SHOWN]]
        skips = stepper.settings.on_bad_step == "skip"
        if skips and stepper.guard.skip():
            return Skipped(step=number + 1, steps=stepper.steps, reason=error.reason, rows=rows)
        found = checkpoints.newest(folder)
        raise TrainingError(
            "T04" if skips else _CODES[error.reason],
            step=number + 1,
            count=PATIENCE,
            loss=f"{error.loss:.4g}",
            usual=f"{stepper.guard.usual:.4g}",
            rows=", ".join(rows),
            checkpoint=str(found.path) if found else "-",
        ) from error
