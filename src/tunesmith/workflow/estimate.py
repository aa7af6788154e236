"""What a run will cost, measured: its largest and some ordinary steps are done and thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tunesmith.core import durable
from tunesmith.core.memory import peak_memory_bytes
from tunesmith.core.recipe import Made
from tunesmith.eval import baselines
from tunesmith.eval.outcome import LabelOutcome
from tunesmith.tasks.examples import lengths
from tunesmith.tasks.task import Example, Learner
from tunesmith.workflow import learned, measuring, tokens, training
from tunesmith.workflow.learned import Shown
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Candidate, Plan

if TYPE_CHECKING:
    from tunesmith.train.stepper import Stepper

# Ordinary steps are done until they took so many seconds, but no fewer and no more than these.
_SECONDS, _FEWEST, _MOST = 2.0, 3, 16
# Rows of evaluation that are measured: the longest, which need the most memory, and as many of all lengths.
_MEASURED = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Cost of one candidate: peak memory in bytes, seconds, optimizer steps, tokens over all epochs.

    `shown` are the first rows as the model sees them: pieces of text, each with whether it is learned.
    """

    peak_memory_bytes: int
    seconds: float
    steps: int
    tokens: int
    micro_batch_tokens: int
    checkpointing: bool
    truncated: dict[int, int]
    empty: tuple[int, ...]
    shown: list[Shown]


def estimate(plan: Plan, candidate: Candidate, parts: Parts) -> Estimate | None:
    """Do a few steps with a throw-away copy and reckon from them; None for a model that learns in no steps.

    Raises:
        MemoryShortError: T06, T07 when training would not fit into memory; no step was done then.
    """
    from tunesmith.train.fitting import Room, fit, recomputes
    from tunesmith.train.stepper import Stepper

    if not isinstance(candidate.source, Made) and candidate.source.folder is None:
        return None
    began = time.monotonic()
    learner, encoded = training.learner_of(plan, candidate, parts)
    stepper = Stepper(learner, plan.task, encoded.train, plan.recipe.train, plan.recipe.seed)
    fit(stepper, Room.now(plan.memory))
    ready = time.monotonic() - began
    steps = _training(plan, stepper)
    rounds = _validations(stepper)
    return Estimate(
        seconds=ready + steps + _evaluation(plan, learner, parts, encoded.validation, rounds),
        peak_memory_bytes=peak_memory_bytes(),
        steps=stepper.steps,
        tokens=round(int(lengths(encoded.train).sum()) * plan.recipe.train.epochs),
        micro_batch_tokens=stepper.tokens,
        checkpointing=recomputes(learner.backbone),
        truncated=encoded.truncated,
        empty=encoded.empty,
        shown=learned.rows(learner, encoded.train),
    )
