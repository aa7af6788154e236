"""How long evaluation will take: some rows of the held-out part are measured, and its baselines are made."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from tunesmith.eval import baselines
from tunesmith.eval.outcome import LabelOutcome, Outcome, TextOutcome
from tunesmith.tasks.examples import lengths
from tunesmith.tasks.task import Example, Learner
from tunesmith.workflow import measuring
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Plan
from tunesmith.workflow.training import Encoded

# Rows that are measured: the longest, which take the most memory, and as many of all lengths.
_MEASURED = 32


def evaluation(plan: Plan, learner: Learner, parts: Parts, encoded: Encoded, validations: int) -> float:
    """Seconds of all evaluations: the validation part so many times, the held-out part once.

    Training must have been rehearsed before, so that nothing is done here for the first time.
    """
    chosen = _some(encoded.held_out)
    examples = [encoded.held_out[i] for i in chosen]
    began = time.monotonic()
    found = _measure(plan, learner, parts, examples)
    spent = time.monotonic() - began
    there = _tokens(encoded.held_out) + validations * _tokens(encoded.validation)
    return spent * there / _tokens(examples) + _beside(plan, learner, parts, found)


def _some(examples: Sequence[Example]) -> list[int]:
    """The longest examples and some of all lengths, in their order."""
    order = np.argsort(lengths(examples), kind="stable")
    spread = np.linspace(0, len(order) - 1, min(_MEASURED, len(order))).astype(int)
    return sorted({*order[-_MEASURED:].tolist(), *order[spread].tolist()})


def _tokens(examples: Sequence[Example]) -> int:
    return int(lengths(examples).sum()) if examples else 0


def _measure(plan: Plan, learner: Learner, parts: Parts, examples: Sequence[Example]) -> Outcome:
    part = parts.split(parts.held_out)
    return measuring.outcome(
        plan.task, learner, part.filter(part["_row"].is_in([example.row for example in examples])), examples
    )


def _beside(plan: Plan, learner: Learner, parts: Parts, found: Outcome) -> float:
    """Seconds of training the baselines, which may take more memory than the model, and of sample answers."""
    began = time.monotonic()
    rows = parts.split("train")
    if isinstance(found, LabelOutcome):
        baselines.run(plan.task.baselines, rows["text"].to_list(), rows["label"].to_list(), found)
    if isinstance(found, TextOutcome):
        baselines.run(plan.task.baselines, rows["source"].to_list(), rows["target"].to_list(), found)
    return time.monotonic() - began + _answers(plan, learner, parts)


def _answers(plan: Plan, learner: Learner, parts: Parts) -> float:
    """Seconds of the answers that a report shows, of which one is made."""
    model = measuring.speaker(learner)
    if model is None:
        return 0.0
    began = time.monotonic()
    measuring.samples(model, parts.split(parts.held_out), plan.recipe.seed, count=1)
    return measuring.SAMPLES * (time.monotonic() - began)
