"""What surrounds training, carried out in small: measuring a model, its baselines, its report and its card.

Some rows are measured and reckoned up by their tokens; what does not depend on the rows is done as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.core.spent import Laps, Spent
from tunesmith.eval import html, metrics
from tunesmith.models import loading
from tunesmith.models.resolve import Resolved
from tunesmith.tasks.examples import lengths
from tunesmith.tasks.task import Example, Learner
from tunesmith.workflow import judging, measuring, release_card
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Candidate, Plan
from tunesmith.workflow.training import Encoded
from tunesmith.workflow.validating import Validation

# Rows that are measured: the longest, which take the most memory, and as many of all lengths. Fewer where
# the model has to write for each.
_MEASURED, _WRITTEN = 32, 8
# Rows on which everything is done once, so that nothing is loaded or started while it is measured.
_FIRST = 2


def validations(plan: Plan, learner: Learner, parts: Parts, encoded: Encoded, times: int) -> Spent:
    """What it takes to measure the validation part so many times while the model is trained."""
    whole = Validation(plan, learner, parts, encoded.validation).examples
    if not whole:
        return Spent()
    laps = Laps()
    _small(plan, learner, parts, whole[:_FIRST]).scores()
    first = laps.lap()
    chosen = _some(plan, whole)
    validation = _small(plan, learner, parts, chosen)
    validation.scores()
    measured = laps.lap() * (_tokens(whole) / _tokens(chosen))
    validation.answers()
    return first + (measured + laps.lap()) * times


def judged(
    plan: Plan, candidate: Candidate, parts: Parts, encoded: Encoded, folder: Path, notes: dict[str, Any]
) -> Spent:
    """What the eval stage takes for the model in `folder`, with what training notes of it."""
    laps = Laps()
    model = loading.load(Resolved(name=candidate.name, folder=folder))
    loaded = laps.lap()
    examples = _some(plan, encoded.held_out)
    small = _only(parts, parts.held_out, examples)
    part = small.split(parts.held_out)
    outcome = measuring.outcome_of(
        plan.task, model, part, plan.recipe.data.max_length, lambda learner: examples
    )
    metrics.measure(judging.metric_names(plan.task, plan.recipe.eval.metrics), outcome)
    measured = laps.lap() * (1 / _tokens(examples))
    beside = judging.baselines_of(plan, parts, outcome)
    compared = laps.lap()
    shown = measuring.samples(model, part, plan.recipe.seed, count=1)
    answered = laps.lap() * measuring.SAMPLES
    report = judging.report_of(
        plan, small, parts.ledger, candidate, outcome, beside=beside, samples=shown, notes=notes
    )
    html.render(report, "en")
    release_card.write(folder, plan, candidate, report, parts, "en")
    once = loaded + measured * _tokens(encoded.held_out)
    rivals = once * (judging.production(plan) is not None)
    # Of several candidates each is measured on the validation part first.
    chosen = (loaded + measured * _tokens(encoded.validation)) * (len(plan.candidates) > 1)
    return once + rivals + chosen + compared + answered + laps.lap()


def _small(plan: Plan, learner: Learner, parts: Parts, examples: Sequence[Example]) -> Validation:
    return Validation(plan, learner, _only(parts, "validation", examples), examples)


def _only(parts: Parts, split: str, examples: Sequence[Example]) -> Parts:
    """The parts, with no other rows of one of them than those of the examples."""
    rows = parts.split(split)
    chosen = rows.filter(rows["_row"].is_in([example.row for example in examples]))
    return replace(parts, splits={**parts.splits, split: chosen})


def _some(plan: Plan, examples: Sequence[Example]) -> list[Example]:
    """The longest examples and some of all lengths, in their order."""
    count = _WRITTEN if plan.task.name in measuring.WRITTEN else _MEASURED
    order = np.argsort(lengths(examples), kind="stable")
    spread = np.linspace(0, len(order) - 1, min(count, len(order))).astype(int)
    return [examples[i] for i in sorted({*order[-count:].tolist(), *order[spread].tolist()})]


def _tokens(examples: Sequence[Example]) -> int:
    return int(lengths(examples).sum()) if examples else 0
