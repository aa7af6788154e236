"""Several models on the rows that all of them were asked: figures, differences, and what changed for whom.

Knows outcomes and reports; where they come from is the workflow's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any, Literal

import numpy as np

from tunesmith.core.errors import DataError
from tunesmith.core.plain import plain
from tunesmith.eval import metrics, rows, significance
from tunesmith.eval.metrics import Direction, Figures
from tunesmith.eval.outcome import (
    Outcome,
    RetrievalOutcome,
    SolvedOutcome,
    TextOutcome,
    TokenOutcome,
    take,
)
from tunesmith.eval.report import Report
from tunesmith.eval.significance import Difference, Interval, Paired

EXAMPLES = 20
"""Rows of each kind that are shown."""
PER_ROW = "nll_per_row"
SOLVED = "solved"
CHANGES = ("fixed", "broken", "both_wrong", "both_right")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contender:
    """A model with its report and what it did on each row; `outcome.rows` are ids that all share.

    `recipe` is what made it, as `a.b.c: value`; nothing of a model that was only measured.
    """

    name: str
    report: Report
    outcome: Outcome
    recipe: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A row in words, and what each model said of it, in the order of the models."""

    text: str
    target: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How many rows became right or wrong from one model to the other, and some of them."""

    counts: Mapping[str, int]
    examples: Mapping[str, tuple[Said, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """`model` beside another: the differences, and the rows that changed where rows are right or wrong.

    The answers in `changes` are those of `beside` and of `model`.
    """

    model: str
    beside: str
    differences: tuple[Difference, ...]
    changes: Changes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Models beside each other. Of `scores` and `intervals` each has one value for each of `models`.

    `rows` are those that all were asked, `own_rows` those that each was. `left_out` are metrics that are no
    measure between these models. `recipe` has what differs, None where it is not known of two.
    """

    task: str
    models: tuple[str, ...]
    rows: int
    own_rows: tuple[int, ...]
    scores: Mapping[str, tuple[float, ...]]
    intervals: Mapping[str, tuple[Interval | None, ...]]
    directions: Mapping[str, Direction]
    pairs: tuple[Pair, ...]
    answers: tuple[Said, ...]
    left_out: tuple[str, ...] = ()
    recipe: Mapping[str, tuple[Any, ...]] | None = None
    format: int = 1

    def verdict(self, difference: Difference) -> Literal["better", "worse", "none"]:
        """What a difference says of the model."""
        direction = self.directions[difference.metric]
        if not difference.is_shown or direction == "neither":
            return "none"
        return "better" if (difference.value < 0) == (direction == "lower") else "worse"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        content: dict[str, Any] = plain(asdict(self))
        return content


def compare(contenders: Sequence[Contender]) -> Comparison:
    """Hold models to each other on the rows that all of them were asked.

    Raises:
        DataError: C22 when they do different tasks; C23 when they have no row in common; C24 when texts were
            searched among others; C26 when other answers are right.
    """
    first = contenders[0]
    _same_kind(contenders)
    outcomes = _common(contenders)
    _same_targets(contenders, outcomes)
    names, left_out = _metrics(contenders, outcomes)
    figures = [metrics.figures(names, outcome) for outcome in outcomes]
    intervals = [significance.intervals(each) for each in figures]
    return Comparison(
        task=first.report.task,
        models=tuple(each.name for each in contenders),
        rows=len(outcomes[0].rows),
        own_rows=tuple(len(each.outcome.rows) for each in contenders),
        scores={name: tuple(each.scores[name] for each in figures) for name in names},
        intervals={name: tuple(each.get(name) for each in intervals) for name in names},
        directions={name: metrics.direction(name) for name in names},
        pairs=tuple(_pairs([each.name for each in contenders], figures)),
        answers=tuple(_answers(contenders, outcomes)),
        left_out=left_out,
        recipe=_differing([each.recipe for each in contenders]),
    )


def _same_kind(contenders: Sequence[Contender]) -> None:
    first = contenders[0]
    for other in contenders[1:]:
        if other.report.task != first.report.task or type(other.outcome) is not type(first.outcome):
            raise DataError(
                "C22", name=first.name, task=first.report.task, other=other.name,
                other_task=other.report.task,
            )  # fmt: skip
        if _documents(other.outcome) != _documents(first.outcome):
            raise DataError("C24", name=first.name, other=other.name)


def _documents(outcome: Outcome) -> set[str]:
    """What is searched: a place among a hundred texts is no place among a thousand."""
    return set(outcome.documents) if isinstance(outcome, RetrievalOutcome) else set()


def _common(contenders: Sequence[Contender]) -> list[Outcome]:
    """The outcomes on the rows that all have, in the order of the first."""
    asked = [{int(row): place for place, row in enumerate(each.outcome.rows)} for each in contenders]
    shared = [row for row in asked[0] if all(row in places for places in asked)]
    if not shared:
        counts = ", ".join(f"{each.name} {len(each.outcome.rows):,}" for each in contenders)
        raise DataError("C23", counts=counts)
    return [
        take(each.outcome, np.array([places[row] for row in shared]))
        for each, places in zip(contenders, asked, strict=True)
    ]


def _same_targets(contenders: Sequence[Contender], outcomes: Sequence[Outcome]) -> None:
    first = _targets(outcomes[0])
    for contender, outcome in zip(contenders[1:], outcomes[1:], strict=True):
        pairs = zip(first, _targets(outcome), strict=True)
        if apart := sum(one != other for one, other in pairs):
            raise DataError(
                "C26", name=contenders[0].name, other=contender.name, count=apart, rows=len(outcome.rows)
            )


def _targets(outcome: Outcome) -> list[str | None]:
    each = (rows.row(outcome, place) for place in range(len(outcome.rows)))
    return [one.target if one else None for one in each]


def _metrics(
    contenders: Sequence[Contender], outcomes: Sequence[Outcome]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The metrics that all have, and those of them that cannot be held to each other."""
    measured = [each.report.scores for each in contenders]
    names = [name for name in measured[0] if all(name in scores for scores in measured)]
    if any(isinstance(each, SolvedOutcome) for each in outcomes):
        return (SOLVED,), tuple(names)  # each task has figures of its own, of its own rows
    if all(_same_tokens(outcomes[0], each) for each in outcomes):
        return tuple(names), ()
    return (PER_ROW,), tuple(names)


def comparable(names: Sequence[str], one: Outcome, other: Outcome) -> list[str]:
    """The metrics by which two can be held to each other: what is per token of other tokenizers is not."""
    return [name for name in names if name == PER_ROW or _same_tokens(one, other)]


def _same_tokens(one: Outcome, other: Outcome) -> bool:
    """Whether two counted the same tokens, if any."""
    if not (isinstance(one, TokenOutcome) and isinstance(other, TokenOutcome)):
        return True
    return np.array_equal(one.tokens, other.tokens)


def _pairs(names: Sequence[str], figures: Sequence[Figures]) -> Iterator[Pair]:
    """Each model beside those before it, all tests of all pairs corrected together."""
    couples = list(combinations(range(len(names)), 2))
    found = [significance.paired(figures[later], figures[earlier]) for earlier, later in couples]
    corrected = iter(significance.holm([pair.p for each in found for pair in each.values()]))
    for (earlier, later), each in zip(couples, found, strict=True):
        yield Pair(
            model=names[later],
            beside=names[earlier],
            differences=tuple(_told(each, names[earlier], corrected)),
            changes=_changes(figures[earlier].outcome, figures[later].outcome),
        )


def _told(found: Mapping[str, Paired], beside: str, corrected: Iterator[float]) -> Iterator[Difference]:
    for metric, pair in found.items():
        yield significance.told(metric, beside, pair, next(corrected))


def _changes(before: Outcome, after: Outcome) -> Changes | None:
    was, now = rows.right(before), rows.right(after)
    if was is None or now is None:
        return None
    which = dict(zip(CHANGES, (now & ~was, was & ~now, ~was & ~now, was & now), strict=True))
    return Changes(
        counts={name: int(flags.sum()) for name, flags in which.items()},
        examples={
            name: tuple(_said((before, after), np.flatnonzero(flags)[:EXAMPLES]))
            for name, flags in which.items()
            if name != "both_right"
        },
    )


def _said(outcomes: Sequence[Outcome], places: Sequence[Any] | Any) -> Iterator[Said]:
    for place in places:
        each = [rows.row(outcome, int(place)) for outcome in outcomes]
        known = [one for one in each if one is not None]
        if known:
            answers = tuple(one.answer for one in known)
            yield Said(text=known[0].text, target=known[0].target, answers=answers)


def _answers(contenders: Sequence[Contender], outcomes: Sequence[Outcome]) -> Iterator[Said]:
    """What the models wrote, where they wrote something else."""
    if isinstance(outcomes[0], TextOutcome):
        written = [each.predicted for each in outcomes if isinstance(each, TextOutcome)]
        apart = [i for i, answers in enumerate(zip(*written, strict=True)) if len(set(answers)) > 1]
        yield from _said(outcomes, apart[:EXAMPLES])
    elif isinstance(outcomes[0], TokenOutcome):
        yield from _samples(contenders)


def _samples(contenders: Sequence[Contender]) -> Iterator[Said]:
    """The sample answers of the reports to the same questions."""
    asked = [{sample.prompt: sample for sample in each.report.samples} for each in contenders]
    for prompt, sample in asked[0].items():
        if all(prompt in answers for answers in asked):
            answers = tuple(each[prompt].answer for each in asked)
            yield Said(text=prompt, target=sample.expected or "-", answers=answers)


def _differing(recipes: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]] | None:
    """The keys in which recipes differ, with the value of each; None where it has none."""
    known = [recipe for recipe in recipes if recipe]
    if len(known) < 2:
        return None
    keys = sorted({key for recipe in known for key in recipe})
    found = {key: tuple(recipe.get(key) for recipe in recipes) for key in keys}
    return {
        key: values for key, values in found.items() if any(r.get(key) != known[0].get(key) for r in known)
    }
