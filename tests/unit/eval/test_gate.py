"""The gate opens only for scores that reach its rules."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tunesmith.core.errors import RecipeError
from tunesmith.core.recipe import Bound
from tunesmith.eval import metrics, significance
from tunesmith.eval.gate import judge, sliced
from tunesmith.eval.metrics import Figures
from tunesmith.eval.outcome import LabelOutcome

Right = NDArray[np.bool_]

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


def outcome(right: Right) -> Figures:
    predicted = right.astype(int)
    part = LabelOutcome(
        labels=("no", "yes"),
        texts=[""] * len(right),
        targets=np.ones(len(right), dtype=int),
        predicted=predicted,
        probabilities=np.eye(2)[predicted],
        rows=np.arange(len(right)),
    )
    return metrics.figures(["accuracy"], part)


def opens(bound: Bound, mine: Right, other: Right) -> bool:
    sides = [outcome(right) for right in (mine, other)]
    pairs = {"production": significance.paired(*sides)}
    verdict = judge({"accuracy": bound}, sides[0].scores, {"production": sides[1].scores}, pairs)
    return verdict.passed


def share_that_opens(bound: Bound, gain: float, trials: int = 200) -> float:
    """How often a model passes that is right on 75 % of all rows, and `gain` more, beside one of 75 %.

    Both are asked the same 400 rows, of which some are harder than others for both: with 8 % of the rows
    answered differently the smallest difference that these show is 0.04.
    """
    rng = np.random.default_rng(7)
    passed = 0
    for _ in range(trials):
        hard = 0.8 * rng.random(400)
        mine, other = (hard + 0.2 * rng.random(400) < 0.1 + 0.8 * (0.75 + more) for more in (gain, 0))
        passed += opens(bound, mine, other)
    return passed / trials


@pytest.fixture
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough for an interval of 95 %, for trials that make hundreds."""
    monkeypatch.setattr(significance, "DRAWS", 400)


@pytest.mark.usefixtures("fewer_draws")
def test_a_margin_lets_an_equal_model_through_and_no_worse_one() -> None:
    rule = Bound(not_worse_than="production", margin=0.05)
    assert share_that_opens(rule, gain=0) >= 0.9
    assert share_that_opens(rule, gain=-0.05) <= 0.05


@pytest.mark.parametrize(
    "bound", [Bound(better_than="production"), Bound(not_worse_than="production", margin=0.1)]
)
def test_the_first_model_passes_the_strict_rules_too(bound: Bound) -> None:
    assert judge({"accuracy": bound}, {"accuracy": 0.2}, {}, {}).passed


def test_what_cannot_be_paired_is_not_surely_better() -> None:
    verdict = judge({"accuracy": Bound(better_than="tfidf")}, {"accuracy": 0.99}, BASELINES, {})
    assert not verdict.passed


def test_a_part_of_the_rows_has_a_bound_of_its_own_and_one_without_rows_does_not_pass() -> None:
    gate = {
        "accuracy": Bound(slices={"language=zh": 0.7, "channel=fax": 0.1}),
        "perplexity": Bound(slices={"language=zh": 9}),
    }
    measured = {
        ("accuracy", "language=zh"): 0.7,
        ("accuracy", "channel=fax"): math.nan,
        ("perplexity", "language=zh"): 9.5,
    }
    verdict = sliced(gate, measured)
    assert [(check.slice, check.rule, check.passed) for check in verdict.checks] == [
        ("language=zh", "at_least", True),
        ("channel=fax", "at_least", False),
        ("language=zh", "at_most", False),
    ]
