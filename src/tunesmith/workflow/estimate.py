"""What a run will cost, measured: its largest and some ordinary steps are done and thrown away."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.core import durable
from tunesmith.core.recipe import Made
from tunesmith.tasks.examples import lengths
from tunesmith.workflow import learned, rehearsal, training
from tunesmith.workflow.learned import Shown
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Candidate, Plan

if TYPE_CHECKING:
    from tunesmith.train.stepper import Stepper

# Ordinary steps are done until they took so many seconds, but no fewer and no more than these.
_SECONDS, _FEWEST, _MOST = 2.0, 3, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Cost of one candidate: seconds, optimizer steps, tokens over all epochs; and how it fits into memory.

    `shown` are the first rows as the model sees them: pieces of text, each with whether it is learned.
    """

    seconds: float
    steps: int
    tokens: int
    micro_batch_tokens: int
    checkpointing: bool
    truncated: dict[int, int]
    empty: tuple[int, ...]
    shown: list[Shown]


_NOTHING = Estimate(
    seconds=0.0, steps=0, tokens=0, micro_batch_tokens=0, checkpointing=False,
    truncated={}, empty=(), shown=[],
)  # fmt: skip


def estimate(plan: Plan, candidate: Candidate, parts: Parts) -> Estimate:
    """Do a few steps with a throw-away copy and reckon from them; a model that learns in no steps costs none.

    The peak of memory is that of this process afterwards.

    Raises:
        MemoryShortError: T06, T07 when training would not fit into memory; no step was done then.
    """
    from tunesmith.train.fitting import Room, fit
    from tunesmith.train.stepper import Stepper

    if not isinstance(candidate.source, Made) and candidate.source.folder is None:
        return _NOTHING
    began = time.monotonic()
    learner, encoded = training.learner_of(plan, candidate, parts)
    stepper = Stepper(learner, plan.task, encoded.train, plan.recipe.train, plan.recipe.seed)
    again = fit(stepper, Room.now(plan.memory))
    ready = time.monotonic() - began
    steps = _training(plan, stepper)
    measured = rehearsal.evaluation(plan, learner, parts, encoded, _validations(stepper))
    return Estimate(
        seconds=ready + steps + measured,
        steps=stepper.steps,
        tokens=round(int(lengths(encoded.train).sum()) * plan.recipe.train.epochs),
        micro_batch_tokens=stepper.tokens,
        checkpointing=again,
        truncated=encoded.truncated,
        empty=encoded.empty,
        shown=learned.rows(learner, encoded.train),
    )


def _training(plan: Plan, stepper: Stepper) -> float:
    """Seconds of all steps and checkpoints, from the largest step, some ordinary ones, and one checkpoint."""
    stepper.rehearse()
    rows, spent, learned_tokens = len(stepper.examples), 0.0, 0
    for done, number in enumerate(_ordinary(stepper.steps)):
        if done >= _FEWEST and spent > _SECONDS:
            break
        step = stepper.step(number)
        spent, learned_tokens = spent + step.seconds, learned_tokens + step.tokens
    whole = float(stepper.lengths.sum()) * stepper.steps * stepper.settings.batch_size / rows
    steps = spent * whole / learned_tokens
    return steps + _checkpoint(plan, stepper) * _checkpoints(stepper, steps)


def _ordinary(steps: int) -> list[int]:
    """Step numbers spread over the training, so that any first few of them are spread too."""
    found = np.random.default_rng(0).permutation(np.unique(np.linspace(0, steps - 1, _MOST).astype(int)))
    return [int(number) for number in found]


def _checkpoint(plan: Plan, stepper: Stepper) -> float:
    """Seconds that writing a checkpoint takes."""
    from tunesmith.train import checkpoints

    began = time.monotonic()
    with durable.scratch(plan.workspace.cache) as folder:
        checkpoints.save(folder, 0, stepper.state, stepper.optimizer, {}, {})
    return time.monotonic() - began


def _checkpoints(stepper: Stepper, seconds: float) -> float:
    """How many checkpoints are written in training, the finished model with them."""
    from tunesmith.train.loop import SAVE_SECONDS

    every = stepper.settings.save_every
    return _epochs(stepper) + (stepper.steps // every if every else seconds / SAVE_SECONDS)


def _validations(stepper: Stepper) -> int:
    """How often the validation part is measured."""
    every = stepper.settings.evaluate_every
    return _epochs(stepper) + (stepper.steps // every if every else 0)


def _epochs(stepper: Stepper) -> int:
    """How many epochs are begun."""
    return -(-stepper.steps // stepper.batches.per_epoch)
