"""The gate: whether the scores reach what the recipe asks for.

It knows numbers and rules only; what happens when it stays shut is the workflow's business.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tunesmith.core.errors import RecipeError
from tunesmith.core.registry import suggestion
from tunesmith.eval.metrics import direction

if TYPE_CHECKING:
    from tunesmith.core.recipe import Bound

PRODUCTION = "production"
Rule = Literal["at_least", "at_most", "not_worse_than"]
Scores = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule and how it went.

    `reference` is the name a `not_worse_than` rule compares with. Its `bound` is None when there is nothing
    to compare with: passed while nothing is in production, failed when the reference lacks this metric.
    """

    metric: str
    rule: Rule
    bound: float | None
    value: float
    passed: bool
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether every check passed; a gate without rules is open."""

    passed: bool
    checks: tuple[Check, ...] = ()


OPEN = Verdict(passed=True)


def judge(gate: Mapping[str, Bound], scores: Scores, references: Mapping[str, Scores]) -> Verdict:
    """Hold `scores` to the bounds of the gate; `references` are scores of baselines and of `production`.

    A score that is not a number never passes.

    Raises:
        RecipeError: R11 when a metric was not measured; E05 when a reference is unknown.
    """
    checks = tuple(
        check
        for metric, bound in gate.items()
        for check in _checks(metric, bound, _score(metric, scores), references)
    )
    return Verdict(passed=all(check.passed for check in checks), checks=checks)


def _score(metric: str, scores: Scores) -> float:
    if metric not in scores:
        raise RecipeError("R11", metric=metric, **suggestion(metric, sorted(scores)))
    return scores[metric]


def _checks(metric: str, bound: Bound, value: float, references: Mapping[str, Scores]) -> Iterator[Check]:
    if bound.at_least is not None:
        passed = value >= bound.at_least
        yield _check(metric, "at_least", bound.at_least, value, passed)
    if bound.at_most is not None:
        passed = value <= bound.at_most
        yield _check(metric, "at_most", bound.at_most, value, passed)
    if bound.not_worse_than is not None:
        yield _compare(metric, value, bound.not_worse_than, references)


def _compare(metric: str, value: float, name: str, references: Mapping[str, Scores]) -> Check:
    if name not in references and name != PRODUCTION:
        known = sorted({*references, PRODUCTION})
        raise RecipeError("E05", metric=metric, name=name, **suggestion(name, known))
    bound = references.get(name, {}).get(metric)
    if bound is None:
        passed = name not in references
    else:
        passed = value <= bound if direction(metric) == "lower" else value >= bound
    return _check(metric, "not_worse_than", bound, value, passed, name)


def _check(
    metric: str,
    rule: Rule,
    bound: float | None,
    value: float,
    passed: bool,
    reference: str | None = None,
) -> Check:
    return Check(
        metric=metric,
        rule=rule,
        bound=bound,
        value=value,
        passed=passed and not math.isnan(value),
        reference=reference,
    )
