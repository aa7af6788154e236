"""The gate: whether the scores reach what the recipe asks for.

It knows numbers and rules only; what happens when it stays shut is the workflow's business.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tunesmith.core.errors import RecipeError
from tunesmith.core.registry import suggestion
from tunesmith.eval.metrics import direction
from tunesmith.eval.significance import Paired

if TYPE_CHECKING:
    from tunesmith.core.recipe import Bound

PRODUCTION = "production"
Rule = Literal["at_least", "at_most", "not_worse_than", "better_than"]
Scores = Mapping[str, float]
Pairs = Mapping[str, Mapping[str, Paired]]
"""Of each reference and metric, the difference to it on the same rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule and how it went.

    `reference` is the name of what is compared with. Its `bound` is None when there is nothing to compare
    with: passed while nothing is in production, failed when the reference lacks this metric. `gain` is by how
    much the model is better at least, where the rule asks for more than the figures; negative means worse.
    `slice` names the rows that are meant, `column=value`, where not all are.
    """

    metric: str
    rule: Rule
    bound: float | None
    value: float
    passed: bool
    reference: str | None = None
    gain: float | None = None
    margin: float | None = None
    slice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether every check passed; a gate without rules is open."""

    passed: bool
    checks: tuple[Check, ...] = ()


OPEN = Verdict(passed=True)


_NONE: Pairs = {}


def judge(
    gate: Mapping[str, Bound], scores: Scores, references: Mapping[str, Scores], pairs: Pairs = _NONE
) -> Verdict:
    """Hold `scores` to the bounds of the gate; `references` are scores of baselines and of `production`.

    A score that is not a number never passes.

    Raises:
        RecipeError: R11 when a metric was not measured; E05 when a reference is unknown.
    """
    checks = tuple(
        check
        for metric, bound in gate.items()
        for check in _checks(metric, bound, _score(metric, scores), references, pairs)
    )
    return Verdict(passed=all(check.passed for check in checks), checks=checks)


def limited(limits: Mapping[str, float], measured: Mapping[str, float]) -> Verdict:
    """Hold what was measured beside scores to the most that is allowed of it."""
    checks = tuple(
        _check(name, "at_most", most, measured[name], measured[name] <= most) for name, most in limits.items()
    )
    return Verdict(passed=all(check.passed for check in checks), checks=checks)


def sliced(gate: Mapping[str, Bound], measured: Mapping[tuple[str, str], float]) -> Verdict:
    """Hold each metric to its bounds on parts of the rows; `measured` is by metric and slice.

    A part without rows, whose figure is not a number, does not pass.
    """
    checks = tuple(
        _worst(metric, bound, measured[metric, name], name)
        for metric, rules in gate.items()
        for name, bound in rules.slices.items()
    )
    return Verdict(passed=all(check.passed for check in checks), checks=checks)


def _worst(metric: str, bound: float, value: float, name: str) -> Check:
    if direction(metric) == "lower":
        return _check(metric, "at_most", bound, value, value <= bound, slice=name)
    return _check(metric, "at_least", bound, value, value >= bound, slice=name)


def both(one: Verdict, other: Verdict) -> Verdict:
    """A gate with the rules of two."""
    return Verdict(passed=one.passed and other.passed, checks=(*one.checks, *other.checks))


def _score(metric: str, scores: Scores) -> float:
    if metric not in scores:
        raise RecipeError("R11", metric=metric, **suggestion(metric, sorted(scores)))
    return scores[metric]


def _checks(
    metric: str, bound: Bound, value: float, references: Mapping[str, Scores], pairs: Pairs
) -> Iterator[Check]:
    if bound.at_least is not None:
        yield _check(metric, "at_least", bound.at_least, value, value >= bound.at_least)
    if bound.at_most is not None:
        yield _check(metric, "at_most", bound.at_most, value, value <= bound.at_most)
    if bound.not_worse_than is not None and bound.margin is None:
        yield _compare(metric, value, bound.not_worse_than, references)
    elif bound.not_worse_than is not None:
        yield _surely(metric, value, bound, "not_worse_than", references, pairs)
    if bound.better_than is not None:
        yield _surely(metric, value, bound, "better_than", references, pairs)


def _compare(metric: str, value: float, name: str, references: Mapping[str, Scores]) -> Check:
    """By the figures alone."""
    bound = _figure(metric, name, references)
    if bound is None:
        passed = name not in references
    else:
        passed = value <= bound if direction(metric) == "lower" else value >= bound
    return _check(metric, "not_worse_than", bound, value, passed, reference=name)


def _surely(
    metric: str, value: float, asked: Bound, rule: Rule, references: Mapping[str, Scores], pairs: Pairs
) -> Check:
    """By what can be said of the difference with the confidence that is asked for."""
    name = (asked.better_than if rule == "better_than" else asked.not_worse_than) or ""
    bound = _figure(metric, name, references)
    margin = asked.margin or 0.0
    pair = pairs.get(name, {}).get(metric)
    if pair is None:
        return _check(metric, rule, bound, value, name not in references, reference=name, margin=margin)
    where = pair.interval(asked.confidence)
    gain = -where.high if direction(metric) == "lower" else where.low
    passed = gain > margin if rule == "better_than" else gain >= -margin
    return _check(metric, rule, bound, value, passed, reference=name, gain=gain, margin=margin)


def _figure(metric: str, name: str, references: Mapping[str, Scores]) -> float | None:
    if name not in references and name != PRODUCTION:
        known = sorted({*references, PRODUCTION})
        raise RecipeError("E05", metric=metric, name=name, **suggestion(name, known))
    return references.get(name, {}).get(metric)


def _check(metric: str, rule: Rule, bound: float | None, value: float, passed: bool, **more: Any) -> Check:
    passed = passed and not math.isnan(value)
    return Check(metric=metric, rule=rule, bound=bound, value=value, passed=passed, **more)
