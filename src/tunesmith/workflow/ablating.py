"""The same model trained with the rows that augmenters made and without them, over seeds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import polars as pl
from pydantic import TypeAdapter

from tunesmith.core import cache, durable
from tunesmith.core.errors import RecipeError
from tunesmith.core.events import Event, StageFinished, StageStarted, Stopped
from tunesmith.data.augmenting.making import ORIGIN
from tunesmith.eval import metrics, significance
from tunesmith.eval.ablation import Ablation, Seed, ablation
from tunesmith.eval.metrics import Figures, direction
from tunesmith.models import loading
from tunesmith.models.resolve import Resolved
from tunesmith.train.parallel import ALONE, Group
from tunesmith.workflow import judging, training
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Candidate, Plan

_FILE = "ablation.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One training of the comparison."""

    plan: Plan
    candidate: Candidate
    parts: Parts

    @property
    def folder(self) -> Path:
        """Where its model is kept."""
        return training.folder_of(self.plan, self.candidate)


def seeds_of(plan: Plan) -> int:
    """With how many seeds the recipe asks for the comparison."""
    wanted = plan.recipe.data.augment
    return wanted.seeds if wanted is not None else 0


def arms(plan: Plan, kept: Candidate, parts: Parts) -> Iterator[tuple[Arm, Arm]]:
    """For each seed the training with the rows that were made, and the one without."""
    if not seeds_of(plan):
        return
    without = _without(parts)
    at = plan.candidates.index(kept)
    for number in range(seeds_of(plan)):
        seed = plan.recipe.seed + number
        yield (
            _arm(plan, at, parts, seed, plan.data_key, "" if number == 0 else f"#seed{seed}"),
            _arm(plan, at, without, seed, cache.key(data=plan.data_key, plain=True), f"#plain{seed}"),
        )


def _arm(plan: Plan, at: int, parts: Parts, seed: int, data_key: str, mark: str) -> Arm:
    other = plan.reseeded(seed, data_key, mark)
    return Arm(plan=other, candidate=other.candidates[at], parts=parts)


def _without(parts: Parts) -> Parts:
    rows = parts.splits["train"].filter(pl.col(ORIGIN).is_null())
    return replace(parts, splits={**parts.splits, "train": rows}, augmented={})


def train(
    plan: Plan, kept: Candidate, parts: Parts, stop: Callable[[], bool], group: Group
) -> Generator[Event, None, bool]:
    """Carry out those trainings that were not yet; whether it was stopped.

    Raises:
        RecipeError: A03 in several processes.
    """
    if seeds_of(plan) and group.size > 1:
        raise RecipeError("A03", field="data.augment.seeds", count=group.size, seeds=seeds_of(plan))
    for arm in (arm for pair in arms(plan, kept, parts) for arm in pair):
        if durable.is_valid(arm.folder):
            continue
        began = time.monotonic()
        yield StageStarted(stage="train", detail=arm.candidate.name)
        for event in training.train(arm.plan, arm.candidate, arm.parts, stop, ALONE):
            yield event
            if isinstance(event, Stopped):
                return True
        yield StageFinished(stage="train", cached=False, seconds=time.monotonic() - began)
    return False


def told(plan: Plan, kept: Candidate, parts: Parts) -> Ablation | None:
    """What the trainings came to on the held-out part; None where the recipe asks for none."""
    pairs = list(arms(plan, kept, parts))
    if not pairs:
        return None

    def write(folder: Path) -> None:
        content = json.dumps(asdict(_compared(plan, pairs, parts)))
        (folder / _FILE).write_text(content, encoding="utf-8")

    keys = [arm.candidate.key for pair in pairs for arm in pair]
    folder, _ = cache.folder(
        plan.workspace.cache, "ablation", cache.key(arms=keys, metric=plan.metric), write
    )
    return TypeAdapter(Ablation).validate_json((folder / _FILE).read_bytes())


def _compared(plan: Plan, pairs: list[tuple[Arm, Arm]], parts: Parts) -> Ablation:
    metric = plan.metric
    figures = [(_figures(mine, metric), _figures(other, metric)) for mine, other in pairs]
    seeds = [
        Seed(seed=one.plan.recipe.seed, augmented=mine.scores[metric], plain=other.scores[metric])
        for (one, _), (mine, other) in zip(pairs, figures, strict=True)
    ]
    return ablation(
        metric,
        seeds,
        [pair for one in figures if (pair := significance.paired(*one).get(metric)) is not None],
        parts.augmented,
        lower_is_better=direction(metric) == "lower",
    )


def _figures(arm: Arm, metric: str) -> Figures:
    model = loading.load(Resolved(name=arm.candidate.name, folder=arm.folder))
    outcome = judging.outcome_on(arm.plan, arm.candidate, arm.parts, arm.parts.held_out, model)
    return metrics.figures([metric], outcome)
