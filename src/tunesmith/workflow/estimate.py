"""What a run will cost, measured: each of its stages is carried out in small, and thrown away.

The largest step and some ordinary ones are done, the validation part is measured, a checkpoint and the model
are written; then the model is loaded, judged beside its baselines, and a report of it is made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.core import durable
from tunesmith.core.recipe import Made
from tunesmith.core.spent import Laps, Spent
from tunesmith.workflow import learned, rehearsal, training
from tunesmith.workflow.learned import Shown
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Candidate, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from tunesmith.tasks.task import Learner
    from tunesmith.train.stepper import Stepper
    from tunesmith.workflow.training import Encoded

# Ordinary steps are done until they took so many seconds, but no fewer and no more than these.
_SECONDS, _FEWEST, _MOST = 3.0, 3, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Cost of one candidate: time, optimizer steps, tokens over all epochs; and how it fits into memory.

    `later` are bytes of main memory that its training comes to take after the steps that were done here.
    `judging` is the time of the eval stage if this candidate is kept. `shown` are the first rows as the model
    sees them: pieces of text, each with whether it is learned.
    """

    training: Spent
    judging: Spent
    steps: int
    tokens: int
    micro_batch_tokens: int
    checkpointing: bool
    later: int
    truncated: dict[int, int]
    empty: tuple[int, ...]
    shown: list[Shown]


_NOTHING = Estimate(
    training=Spent(), judging=Spent(), steps=0, tokens=0, micro_batch_tokens=0, checkpointing=False,
    later=0, truncated={}, empty=(), shown=[],
)  # fmt: skip


def estimate(plan: Plan, candidate: Candidate, parts: Parts) -> Estimate:
    """Carry out a run in small and reckon from it; a model that learns in no steps costs none.

    The peak of memory is that of this process afterwards.

    Raises:
        MemoryShortError: T06, T07 when training would not fit into memory; no step was done then.
    """
    if not isinstance(candidate.source, Made) and candidate.source.folder is None:
        return _NOTHING
    with durable.scratch(plan.workspace.cache) as folder:
        found, encoded = _trained(plan, candidate, parts, folder / "model")
        # What training held is free by now, as it is in a run.
        notes = {"curve": [[step + 1, 1.0, 1.0] for step in range(found.steps)], "validation": []}
        judging = rehearsal.judged(plan, candidate, parts, encoded, folder / "model", notes)
    return replace(found, judging=judging)


def _trained(plan: Plan, candidate: Candidate, parts: Parts, folder: Path) -> tuple[Estimate, Encoded]:
    """The train stage of a throw-away copy, which is left in the folder."""
    from tunesmith.models import device
    from tunesmith.train.fitting import Room, fit, remember
    from tunesmith.train.stepper import Stepper

    laps = Laps()
    learner, encoded = training.learner_of(plan, candidate, parts)
    stepper = Stepper(learner, plan.task, encoded.train, plan.recipe.train, plan.recipe.seed)
    again = fit(stepper, Room.now(plan.memory))
    ready = laps.lap()
    # For the peak of memory: the run has no such step.
    stepper.rehearse()
    steps = _steps(stepper)
    evaluated = rehearsal.validations(plan, learner, parts, encoded, _validations(stepper))
    written = _checkpoint(plan, stepper) * _checkpoints(stepper, steps.seconds)
    found = Estimate(
        training=ready + steps + evaluated + written + _saved(plan, learner, folder),
        judging=Spent(),
        steps=stepper.steps,
        tokens=round(int(stepper.lengths.sum()) * plan.recipe.train.epochs),
        micro_batch_tokens=stepper.tokens,
        checkpointing=again,
        later=0 if device.is_graphics() else remember(stepper),
        truncated=encoded.truncated,
        empty=encoded.empty,
        shown=learned.rows(learner, encoded.train),
    )
    return found, encoded


def _steps(stepper: Stepper) -> Spent:
    """What all steps take, reckoned by their tokens from some ordinary ones."""
    rows, spent, learned_tokens = len(stepper.examples), Spent(), 0
    laps = Laps()
    for done, number in enumerate(_ordinary(stepper.steps)):
        if done >= _FEWEST and spent.seconds > _SECONDS:
            break
        learned_tokens += stepper.step(number).tokens
        spent += laps.lap()
    whole = float(stepper.lengths.sum()) * stepper.steps * stepper.settings.batch_size / rows
    return spent * (whole / learned_tokens)


def _ordinary(steps: int) -> list[int]:
    """Step numbers spread over the training, so that any first few of them are spread too."""
    found = np.random.default_rng(0).permutation(np.unique(np.linspace(0, steps - 1, _MOST).astype(int)))
    return [int(number) for number in found]


def _checkpoint(plan: Plan, stepper: Stepper) -> Spent:
    """What writing a checkpoint takes."""
    from tunesmith.train import checkpoints

    laps = Laps()
    with durable.scratch(plan.workspace.cache) as folder:
        checkpoints.save(folder, 0, stepper.state, stepper.optimizer, {}, {})
    return laps.lap()


def _saved(plan: Plan, learner: Learner, folder: Path) -> Spent:
    """What it takes to write the model, which is written once and linked and verified from then on."""
    laps = Laps()
    with durable.new_folder(folder) as made:
        plan.task.save(learner, made)
    durable.verify(folder)
    return laps.lap()


def _checkpoints(stepper: Stepper, seconds: float) -> float:
    """How many checkpoints are written in training; none after the last step."""
    from tunesmith.train.loop import SAVE_SECONDS

    every = stepper.settings.save_every
    return (stepper.steps - 1) // every if every else _epochs(stepper) - 1 + seconds / SAVE_SECONDS


def _validations(stepper: Stepper) -> int:
    """How often the validation part is measured."""
    every = stepper.settings.evaluate_every
    return _epochs(stepper) + (stepper.steps // every if every else 0)


def _epochs(stepper: Stepper) -> int:
    """How many epochs are begun."""
    return -(-stepper.steps // stepper.batches.per_epoch)
