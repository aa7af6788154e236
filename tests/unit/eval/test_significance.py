"""Intervals hold the truth as often as they say, and models differ only where the rows show it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import mean

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, binomtest

from tunesmith.eval import metrics, significance
from tunesmith.eval.metrics import Figures
from tunesmith.eval.outcome import LabelOutcome, Outcome, ScoreOutcome, TextOutcome, TokenOutcome, take
from tunesmith.eval.sums import Sums, hits, summed

Right = NDArray[np.bool_]


def answers(right: Right, labels: int = 3, seed: int = 0) -> LabelOutcome:
    """A part whose rows are right or wrong as told."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(labels, size=len(right))
    predicted = np.where(right, targets, (targets + 1) % labels)
    return LabelOutcome(
        labels=tuple("abcdefgh"[:labels]),
        texts=[""] * len(right),
        targets=targets,
        predicted=predicted,
        probabilities=np.eye(labels)[predicted],
        rows=np.arange(len(right)),
    )


def accuracy(right: Right) -> Figures:
    return metrics.figures(["accuracy"], answers(right))


TEXTS = TextOutcome(
    sources=["a", "b", "c", "d"],
    targets=["The cat sat on the mat.", "今天天气很好。", "A dog barked all night.", "It rained."],
    predicted=["The cat sat on a mat.", "今天天气好。", "A dog was barking.", "It rained."],
    rows=[0, 1, 2, 3],
)
NLL = TokenOutcome(nll=np.array([1.0, 4.0, 9.0]), tokens=np.array([2, 3, 4]), rows=[5, 6, 7])
NUMBERS = ScoreOutcome(
    texts=list("abcd"), targets=np.arange(4.0), predicted=np.array([0.2, 0.9, 2.5, 2.4]), rows=[0, 1, 2, 3]
)


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        *((name, answers(np.arange(40) % 3 > 0)) for name in ("accuracy", "macro_f1", "micro_f1")),
        *((name, TEXTS) for name in ("bleu", "chrf", "rouge_l")),
        ("perplexity", NLL),
        ("mae", NUMBERS),
    ],
)
def test_a_sum_of_drawn_rows_is_the_metric_of_those_rows(name: str, outcome: Outcome) -> None:
    sums = metrics.figures([name], outcome).sums[name]
    rng = np.random.default_rng(1)
    drawn = rng.integers(len(outcome.rows), size=(3, len(outcome.rows)))
    counts = np.array([np.bincount(row, minlength=len(outcome.rows)) for row in drawn], dtype=float)
    wanted = [metrics.measure([name], take(outcome, row))[name] for row in drawn]
    np.testing.assert_allclose(sums.total(counts @ sums.rows), wanted, rtol=1e-9)


@pytest.mark.parametrize("truth", [0.6, 0.9, 0.98])
def test_intervals_of_shares_hold_the_truth_as_often_as_they_say(truth: float) -> None:
    rng = np.random.default_rng(2)
    found = [significance.wilson(float((rng.random(150) < truth).mean()), 150) for _ in range(200)]
    assert 0.9 <= mean(each.low <= truth <= each.high for each in found) <= 0.99


def test_intervals_by_the_bootstrap_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    parts = [
        ScoreOutcome(texts=[""] * 80, targets=np.zeros(80), predicted=rng.exponential(2, 80), rows=range(80))
        for _ in range(200)
    ]
    found = [significance.intervals(metrics.figures(["mae"], part))["mae"] for part in parts]
    assert 0.9 <= mean(each.low <= 2 <= each.high for each in found) <= 0.99


def test_a_model_that_is_always_right_is_not_certain() -> None:
    found = significance.intervals(accuracy(np.ones(30, dtype=bool)))["accuracy"]
    assert found.high == 1
    assert 0.85 < found.low < 0.95


def test_a_correlation_has_an_interval_though_it_is_no_sum() -> None:
    found = significance.intervals(metrics.figures(["pearson", "spearman"], NUMBERS))
    assert all(-1 <= each.low < each.high <= 1 for each in found.values())


def test_changed_rows_are_tested_exactly() -> None:
    mine, other = np.ones(100, dtype=bool), np.ones(100, dtype=bool)
    mine[:2], other[10:22] = False, False
    pair = significance.paired(accuracy(mine), accuracy(other))["accuracy"]
    assert pair.value == pytest.approx(0.1)
    assert pair.p == pytest.approx(binomtest(12, 14).pvalue)
    where = pair.interval()
    assert 0 < where.low < 0.1 < where.high


def test_few_changed_rows_are_no_sure_gain_and_none_no_certainty() -> None:
    def sure(changed: int, gained: int) -> bool:
        return significance.of_changes((2 * gained - changed) / 1000, changed, 1000).low > 0

    # Of two equal models each changed row is a coin: whatever their number, one is seldom surely better.
    for changed in range(1, 60):
        by_chance = binom.pmf(range(changed + 1), changed, 0.5)
        assert sum(p for gained, p in enumerate(by_chance) if sure(changed, gained)) < 0.05
    assert [sure(each, each) for each in (5, 6)] == [False, True]
    nothing = significance.of_changes(0, 0, 20)
    assert nothing.low == -nothing.high < -0.05


def test_models_are_compared_on_the_rows_that_both_were_asked() -> None:
    mine = accuracy(np.array([True, True, False, True]))
    whole = answers(np.array([False, True, True, True]))
    other = metrics.figures(["accuracy"], take(replace(whole, rows=np.array([9, 1, 0, 2])), np.arange(4)))
    pair = significance.paired(mine, other)["accuracy"]
    assert pair.rows == 3
    assert pair.value == pytest.approx(2 / 3 - 1)


def test_equal_models_do_not_differ_and_few_rows_show_little() -> None:
    right = np.arange(50) % 5 > 0
    (found,) = significance.differences("other", significance.paired(accuracy(right), accuracy(right)))
    assert (found.value, found.p, found.is_shown) == (0, 1, False)
    # Six rows that all change to one side are the least that is no chance.
    assert found.detectable == pytest.approx(6 / 50)


def test_tests_are_corrected_for_their_number() -> None:
    assert significance.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert significance.holm([0.9, 0.9]) == [1, 1]


@summed
def of_ones_own(outcome: Outcome) -> Sums:
    return hits(np.array([row % 2 == 0 for row in outcome.rows]))


def test_a_metric_of_ones_own_has_an_interval_where_it_gives_its_sums(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own: dict[str, Callable[[Outcome], float]] = {"summed": of_ones_own, "plain": lambda outcome: 0.5}
    monkeypatch.setattr("tunesmith.core.components.metrics.get", own.__getitem__)
    found = significance.intervals(metrics.figures(own, answers(np.ones(20, dtype=bool))))
    assert list(found) == ["summed"]
    assert found["summed"].low < 0.5 < found["summed"].high


def test_a_model_that_diverged_has_figures_without_a_warning() -> None:
    lost = replace(NLL, nll=np.array([1e9, 1e9, 1e9]))
    mine, other = (metrics.figures(["perplexity"], outcome) for outcome in (lost, NLL))
    assert significance.intervals(mine)["perplexity"] == significance.Interval(low=math.inf, high=math.inf)
    (apart,) = significance.differences("other", significance.paired(mine, other))
    assert (apart.value, apart.low, apart.is_shown) == (math.inf, math.inf, True)
    (alike,) = significance.differences("itself", significance.paired(mine, mine))
    assert math.isnan(alike.low)
    assert not alike.is_shown
