"""What a run will cost, measured: the longest and some ordinary batches are trained and thrown away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunesmith.core.memory import peak_memory_bytes
from tunesmith.core.recipe import Made
from tunesmith.eval import baselines
from tunesmith.eval.outcome import LabelOutcome
from tunesmith.tasks.examples import lengths
from tunesmith.tasks.task import Learner
from tunesmith.workflow import learned, measuring, training
from tunesmith.workflow.learned import Shown
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Candidate, Plan

_ORDINARY = 4
_MEASURED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Cost of training one candidate: peak memory in bytes, seconds, optimizer steps, tokens over all epochs.

    `shown` are the first rows as the model sees them: pieces of text, each with whether it is learned.
    """

    peak_memory_bytes: int
    seconds: float
    steps: int
    tokens: int
    truncated: dict[int, int]
    empty: tuple[int, ...]
    shown: list[Shown]


def estimate(plan: Plan, candidate: Candidate, parts: Parts) -> Estimate:
    """Train a few batches of a throw-away copy and reckon from them."""
    from tunesmith.train.stepper import Stepper

    if not isinstance(candidate.source, Made) and candidate.source.folder is None:
        return Estimate(
            peak_memory_bytes=peak_memory_bytes(),
            seconds=0.0,
            steps=0,
            tokens=0,
            truncated={},
            empty=(),
            shown=[],
        )
    learner, encoded = training.learner_of(plan, candidate, parts)
    stepper = Stepper(learner, plan.task, encoded.train, plan.recipe.train, plan.recipe.seed)
    stepper.rehearse()
    seconds = [stepper.step(number).seconds for number in _ordinary(stepper.steps)]
    _rehearse_evaluation(plan, learner, parts)
    return Estimate(
        peak_memory_bytes=peak_memory_bytes(),
        seconds=float(np.mean(seconds)) * stepper.steps,
        steps=stepper.steps,
        tokens=round(int(lengths(encoded.train).sum()) * plan.recipe.train.epochs),
        truncated=encoded.truncated,
        empty=encoded.empty,
        shown=learned.rows(learner, encoded.train),
    )


def _rehearse_evaluation(plan: Plan, learner: Learner, parts: Parts) -> None:
    """Measure some rows and train the baselines, which may take more memory than training a small model."""
    part = parts.split(parts.held_out).head(_MEASURED)
    if part.is_empty():
        return
    found = measuring.outcome(plan.task, learner, part, plan.task.encode(part, learner)[0])
    if isinstance(found, LabelOutcome):
        rows = parts.split("train")
        baselines.run(plan.task.baselines, rows["text"].to_list(), rows["label"].to_list(), found)


def _ordinary(steps: int) -> list[int]:
    """Step numbers spread over the training."""
    return sorted({int(n) for n in np.linspace(0, steps - 1, _ORDINARY)})
