"""Correlations are those of scipy; errors are in the units of the data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tunesmith.core.errors import DataError
from tunesmith.eval import baselines, metrics
from tunesmith.eval.outcome import ScoreOutcome, TokenOutcome

NAMES = ("pearson", "spearman", "mae")


def outcome(targets: list[float], predicted: list[float]) -> ScoreOutcome:
    texts = [f"text {i}" for i in range(len(targets))]
    return ScoreOutcome(
        texts=texts, targets=np.array(targets), predicted=np.array(predicted), rows=range(len(targets))
    )


def test_correlations_are_those_of_scipy() -> None:
    targets, predicted = [1.0, 2, 2, 5, 4], [0.1, 0.2, 0.4, 9.0, 0.4]
    found = metrics.measure(NAMES, outcome(targets, predicted))
    assert found["pearson"] == pytest.approx(stats.pearsonr(targets, predicted).statistic)
    assert found["spearman"] == pytest.approx(stats.spearmanr(targets, predicted).statistic)
    assert found["mae"] == pytest.approx(np.abs(np.subtract(targets, predicted)).mean())
    assert metrics.direction("mae") == "lower"


def test_what_is_always_the_same_correlates_with_nothing() -> None:
    found = metrics.measure(NAMES, outcome([1.0, 3.0], [2.0, 2.0]))
    assert found == {"pearson": 0, "spearman": 0, "mae": 1}


def test_the_baselines_know_the_mean_and_the_words() -> None:
    beside = outcome([0.0, 0.0], [0.0, 0.0])
    texts, scores = ["text 0", "other"], [4.0, 8.0]
    made = baselines.run(["mean_score", "tfidf_ridge"], texts, scores, beside)
    assert made["mean_score"].predicted.tolist() == [6.0, 6.0]
    assert made["tfidf_ridge"].predicted[0] < 6


@pytest.mark.parametrize("name", NAMES)
def test_what_has_no_numbers_or_rows_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="M85"):
        metrics.measure([name], TokenOutcome(nll=np.ones(1), tokens=np.ones(1, int), rows=[0]))
    with pytest.raises(DataError, match="E03"):
        metrics.measure([name], outcome([], []))


def test_small_numbers_are_explained_as_well_as_large_ones() -> None:
    targets = np.linspace(1, 2, 50)
    large, small = (
        metrics.measure(["r2"], outcome([*targets * scale], [*targets * scale * 1.01]))["r2"]
        for scale in (1.0, 1e-7)
    )
    assert small == pytest.approx(large)
    assert metrics.measure(["r2"], outcome([0.1] * 5, [0.2] * 5))["r2"] == 0
