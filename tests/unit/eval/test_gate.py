"""The gate opens only for scores that reach its rules."""

from __future__ import annotations

import math

import pytest

from tunesmith.core.errors import RecipeError
from tunesmith.core.recipe import Bound
from tunesmith.eval.gate import judge

BASELINES = {"tfidf": {"accuracy": 0.8, "perplexity": 10.0}}


@pytest.mark.parametrize(
    ("metric", "bound", "value", "passed"),
    [
        ("accuracy", Bound(at_least=0.8), 0.8, True),
        ("accuracy", Bound(at_least=0.8), 0.79, False),
        ("perplexity", Bound(at_most=12), 12.0, True),
        ("perplexity", Bound(at_most=12), 12.1, False),
        ("accuracy", Bound(not_worse_than="tfidf"), 0.8, True),
        ("accuracy", Bound(not_worse_than="tfidf"), 0.79, False),
        ("perplexity", Bound(not_worse_than="tfidf"), 9.0, True),
        ("perplexity", Bound(not_worse_than="tfidf"), 11.0, False),
        ("accuracy", Bound(at_least=0.1, not_worse_than="tfidf"), 0.5, False),
    ],
)
def test_rules_respect_the_direction_of_the_metric(
    metric: str, bound: Bound, value: float, passed: bool
) -> None:
    assert judge({metric: bound}, {metric: value}, BASELINES).passed is passed


@pytest.mark.parametrize(
    "bound",
    [Bound(at_least=0), Bound(at_most=1), Bound(not_worse_than="tfidf"), Bound(not_worse_than="production")],
)
def test_nan_never_passes(bound: Bound) -> None:
    assert not judge({"accuracy": bound}, {"accuracy": math.nan}, BASELINES).passed


def test_a_reference_that_is_not_a_number_is_not_beaten() -> None:
    gate = {"accuracy": Bound(not_worse_than="tfidf")}
    assert not judge(gate, {"accuracy": 0.9}, {"tfidf": {"accuracy": math.nan}}).passed


def test_the_first_model_passes_because_nothing_is_in_production() -> None:
    verdict = judge({"accuracy": Bound(not_worse_than="production")}, {"accuracy": 0.1}, BASELINES)
    (check,) = verdict.checks
    assert verdict.passed
    assert (check.reference, check.bound) == ("production", None)


def test_a_model_worse_than_production_does_not_pass() -> None:
    gate = {"accuracy": Bound(not_worse_than="production")}
    assert not judge(gate, {"accuracy": 0.8}, {"production": {"accuracy": 0.9}}).passed


def test_a_reference_without_the_metric_does_not_pass() -> None:
    gate = {"macro_f1": Bound(not_worse_than="tfidf")}
    verdict = judge(gate, {"macro_f1": 0.9}, BASELINES)
    assert not verdict.passed
    assert verdict.checks[0].bound is None


def test_an_unknown_reference_is_an_error_with_a_suggestion() -> None:
    gate = {"accuracy": Bound(not_worse_than="tfdif")}
    with pytest.raises(RecipeError, match="did you mean `tfidf`") as caught:
        judge(gate, {"accuracy": 1.0}, BASELINES)
    assert caught.value.problems[0].code == "E05"


def test_a_metric_that_was_not_measured_is_an_error() -> None:
    with pytest.raises(RecipeError, match="not measured"):
        judge({"macro_f1": Bound(at_least=0.5)}, {"accuracy": 1.0}, {})


def test_every_rule_is_reported_and_one_failure_closes_the_gate() -> None:
    gate = {"accuracy": Bound(at_least=0.5, at_most=0.6), "macro_f1": Bound(at_least=0.1)}
    verdict = judge(gate, {"accuracy": 0.7, "macro_f1": 0.7}, {})
    assert [(c.metric, c.rule, c.passed) for c in verdict.checks] == [
        ("accuracy", "at_least", True),
        ("accuracy", "at_most", False),
        ("macro_f1", "at_least", True),
    ]
    assert not verdict.passed


def test_no_rules_leave_the_gate_open() -> None:
    assert judge({}, {"accuracy": 0.0}, {}).passed
