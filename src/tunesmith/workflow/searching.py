"""The search for settings: one plan for each trial, judged on the validation part; the best is the run's.

What the trials came to is in events.jsonl, and nowhere else. A search that was cut off goes on after the last
of them; a trial that was cut off continues from its checkpoint.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tunesmith.core import durable
from tunesmith.core.errors import DataError, RecipeError
from tunesmith.core.events import (
    Evaluated,
    Event,
    StageFinished,
    StageStarted,
    Stopped,
    TrialFinished,
    TrialStarted,
    Warned,
)
from tunesmith.core.recipe import Search
from tunesmith.core.runs import RunFolder
from tunesmith.eval.metrics import direction
from tunesmith.train import asking
from tunesmith.train.parallel import Group
from tunesmith.workflow import training
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Plan


def finished(run: RunFolder) -> list[TrialFinished]:
    """The trials of a run that came to something, in their order."""
    return [event for event in run.events.read() if isinstance(event, TrialFinished)]


def best(plan: Plan, tried: Sequence[TrialFinished]) -> TrialFinished | None:
    """The best of the trials by the recipe's metric."""
    return asking.best(tried, higher=direction(plan.metric) == "higher")


def search(
    plan: Plan, parts: Parts, stop: Callable[[], bool], group: Group
) -> Generator[Event, None, Plan | None]:
    """Make the trials that are still to be made; the plan with the best values, or None when stopped.

    Raises:
        MissingError: M03 when optuna is not installed.
        RecipeError: T17 in several processes; T18 when no trial came to a figure.
        DataError: E03 when the validation part is empty.
    """
    wanted = plan.recipe.train.search
    if wanted is None:
        return plan
    _ready(parts, plan, group)
    tried = finished(plan.run)
    while _goes_on(wanted, tried):
        if stop():
            yield Stopped(step=0)
            return None
        told = yield from _next(plan, wanted, tried, parts, stop)
        if told is None:
            return None
        tried.append(told)
    found = best(plan, tried)
    if found is None:
        raise RecipeError("T18", count=len(tried), reason=tried[-1].reason or "-")
    return plan.varied(found.values)


def _ready(parts: Parts, plan: Plan, group: Group) -> None:
    asking.check()
    if group.size > 1:
        raise RecipeError("T17", count=group.size)
    if parts.split("validation").is_empty():
        raise DataError("E03", metric=plan.metric)


def _goes_on(wanted: Search, tried: Sequence[TrialFinished]) -> bool:
    took = sum(one.seconds for one in tried)
    return len(tried) < wanted.trials and took < wanted.seconds


def _next(
    plan: Plan, wanted: Search, tried: Sequence[TrialFinished], parts: Parts, stop: Callable[[], bool]
) -> Generator[Event, None, TrialFinished | None]:
    """One more trial; None when it was stopped."""
    number, higher = len(tried) + 1, direction(plan.metric) == "higher"
    values = asking.ask(wanted.space, tried, seed=plan.recipe.seed, higher=higher)
    yield TrialStarted(trial=number, trials=wanted.trials, values=values)
    trial = _Trial(plan.varied(values, f"#{number}"), parts, tried if wanted.prune else (), higher)
    began = time.monotonic()
    ended = yield from trial.carry_out(stop)
    if ended is None:
        return None
    told = TrialFinished(
        trial=number, values=values, state=ended.state, metric=plan.metric,
        figure=ended.figure, reason=ended.reason, curve=trial.curve(),
        seconds=round(time.monotonic() - began, 3),
    )  # fmt: skip
    yield told
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    state: str
    figure: float | None = None
    reason: str = ""


class _Trial:
    """The training of one trial, watched: `rivals` are those that it is compared with on its way."""

    def __init__(self, plan: Plan, parts: Parts, rivals: Sequence[TrialFinished], higher: bool) -> None:
        self._plan = plan
        self._parts = parts
        self._rivals = rivals
        self._higher = higher
        self._candidate = plan.candidates[0]
        self._figures: dict[int, float] = {}

    def curve(self, until: float = math.inf) -> list[list[float]]:
        """[rows seen, figure] of the evaluations, as far as a pruned trial may be compared."""
        size = self._plan.recipe.train.batch_size
        known = sorted(self._figures.items())
        return [[step * size, figure] for step, figure in known if step <= until and math.isfinite(figure)]

    def carry_out(self, stop: Callable[[], bool]) -> Generator[Event, None, _End | None]:
        """Train, unless it was trained before; None when it was stopped."""
        began, folder = time.monotonic(), training.folder_of(self._plan, self._candidate)
        yield StageStarted(stage="train", detail=self._candidate.name)
        cached = durable.is_valid(folder)
        ended = self._again() if cached else (yield from self._train(stop))
        if ended is not None:
            shutil.rmtree(training.states_of(self._plan, self._candidate), ignore_errors=True)
            yield StageFinished(stage="train", cached=cached, seconds=time.monotonic() - began)
        return ended

    def _train(self, stop: Callable[[], bool]) -> Generator[Event, None, _End | None]:
        from tunesmith.train.loop import TrainingError

        # What an earlier try measured before the checkpoint that it continues from is not measured again.
        for event in self._plan.run.events.training(self._candidate.name):
            self._see(event)
        try:
            with closing(training.train(self._plan, self._candidate, self._parts, stop)) as events:
                for event in events:
                    yield event
                    if isinstance(event, Stopped):
                        return None
                    if self._see(event):
                        return _End(state="pruned")
        except TrainingError as error:
            problem = error.problems[0]
            yield Warned(code=problem.code, values=problem.told)
            return _End(state="failed", reason=problem.code)
        return self._judged()

    def _see(self, event: Event) -> bool:
        """Take in an evaluation; whether the trial is not worth going on with."""
        if not isinstance(event, Evaluated):
            return False
        self._figures[event.step] = event.scores[self._plan.metric]
        return asking.is_poor(self.curve(event.step), self._rivals, higher=self._higher)

    def _again(self) -> _End:
        """What a training came to that is there already: the same as if it were done now."""
        for step, scores in self._notes()["validation"]:
            if self._see(Evaluated(step=step, scores=scores)):
                return _End(state="pruned")
        return self._judged()

    def _judged(self) -> _End:
        notes = self._notes()
        measured = {step: scores[self._plan.metric] for step, scores in notes["validation"]}
        figure = measured[notes["kept"][-1]]
        return _End(state="complete", figure=figure) if math.isfinite(figure) else _End(state="failed")

    def _notes(self) -> dict[str, Any]:
        return training.notes_of(training.folder_of(self._plan, self._candidate))
