"""Metrics equal those of scikit-learn and sacrebleu, fit their outcome, and may be the user's own."""

from __future__ import annotations

import math
import sys
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu import corpus_bleu, corpus_chrf
from sklearn.metrics import accuracy_score, f1_score

from tunesmith.core import components
from tunesmith.core.errors import DataError, RecipeError
from tunesmith.eval import metrics
from tunesmith.eval.outcome import LabelOutcome, TextOutcome, TokenOutcome

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60)


def outcome_of(pairs: list[tuple[int, int]]) -> LabelOutcome:
    targets, predicted = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return LabelOutcome(
        labels=tuple("abcde"),
        texts=[""] * len(pairs),
        targets=targets,
        predicted=predicted,
        probabilities=np.eye(5)[predicted],
        rows=np.arange(len(pairs)),
    )


@settings(deadline=None)
@given(PAIRS)
def test_label_metrics_equal_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    outcome = outcome_of(pairs)
    targets, predicted = zip(*pairs, strict=True)
    macro = f1_score(targets, predicted, average="macro", zero_division=0)
    assert metrics.measure(["accuracy", "macro_f1"], outcome) == {
        "accuracy": accuracy_score(targets, predicted),
        "macro_f1": pytest.approx(macro),
    }


def test_perplexity_is_e_to_the_mean_surprise() -> None:
    tokens = np.array([20, 30, 50])
    even = TokenOutcome(nll=tokens * math.log(50), tokens=tokens, rows=[0, 1, 2])
    assert metrics.perplexity(even) == pytest.approx(50)
    assert metrics.perplexity(TokenOutcome(nll=np.array([1e9]), tokens=np.ones(1, int), rows=[0])) == math.inf


@pytest.mark.parametrize(
    ("name", "outcome", "code"),
    [
        ("accuracy", TokenOutcome(nll=np.ones(1), tokens=np.ones(1, int), rows=[0]), "E01"),
        ("macro_f1", TokenOutcome(nll=np.ones(1), tokens=np.ones(1, int), rows=[0]), "E01"),
        ("perplexity", outcome_of([(0, 0)]), "E02"),
        ("accuracy", outcome_of([]), "E03"),
        ("perplexity", TokenOutcome(nll=np.zeros(0), tokens=np.zeros(0, int), rows=[]), "E03"),
    ],
)
def test_a_metric_that_does_not_fit_says_so(
    name: str, outcome: LabelOutcome | TokenOutcome, code: str
) -> None:
    with pytest.raises(DataError) as caught:
        metrics.measure([name], outcome)
    problem = caught.value.problems[0]
    assert problem.code == code
    assert name in str(caught.value)


def test_every_registered_metric_has_a_direction() -> None:
    found = {name: metrics.direction(name) for name in components.metrics.names()}
    assert found["perplexity"] == "lower"
    assert found["accuracy"] == found["macro_f1"] == "higher"


@pytest.fixture
def own_module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("my_metrics")
    monkeypatch.setitem(sys.modules, "my_metrics", module)
    return module


def test_a_metric_of_the_users_own_is_named_by_module_and_function(own_module: ModuleType) -> None:
    def errors(outcome: LabelOutcome) -> int:
        return int((outcome.targets != outcome.predicted).sum())

    own_module.errors = metrics.lower_is_better(errors)  # type: ignore[attr-defined, arg-type]
    found = metrics.measure(["my_metrics:errors"], outcome_of([(0, 1), (1, 1), (2, 0)]))
    assert found == {"my_metrics:errors": 2.0}
    assert metrics.direction("my_metrics:errors") == "lower"


def test_a_broken_metric_of_the_users_own_is_named(own_module: ModuleType) -> None:
    own_module.nothing = lambda outcome: None  # type: ignore[attr-defined]
    with pytest.raises(DataError, match="my_metrics:nothing") as caught:
        metrics.measure(["my_metrics:nothing"], outcome_of([(0, 0)]))
    assert caught.value.problems[0].code == "E04"


def test_an_unknown_metric_is_met_with_a_suggestion() -> None:
    with pytest.raises(RecipeError, match="did you mean `accuracy`"):
        metrics.measure(["acuracy"], outcome_of([(0, 0)]))


def _written(targets: list[str], predicted: list[str]) -> TextOutcome:
    return TextOutcome(sources=targets, targets=targets, predicted=predicted, rows=range(len(targets)))


def test_translations_are_scored_as_sacrebleu_does() -> None:
    outcome = _written(["The cat sat on the mat.", "It rains."], ["The cat sat on a mat.", "It snows."])
    assert metrics.bleu(outcome) == corpus_bleu(outcome.predicted, [outcome.targets]).score
    assert metrics.chrf(outcome) == corpus_chrf(outcome.predicted, [outcome.targets]).score


def test_chinese_translations_are_cut_into_characters() -> None:
    # A sentence without spaces is one word to the usual tokenizer, and nothing of it would be right.
    outcome = _written(["今天的天气非常好。"], ["今天的天气真的非常好。"])
    assert metrics.bleu(outcome) > 40
    assert metrics.bleu(_written(outcome.targets, outcome.targets)) == pytest.approx(100)


@pytest.mark.parametrize("name", ["bleu", "chrf"])
def test_texts_are_not_compared_where_there_are_none(name: str) -> None:
    with pytest.raises(DataError, match="M49"):
        metrics.measure([name], outcome_of([(0, 1)]))
    with pytest.raises(DataError, match="E03"):
        metrics.measure([name], _written([], []))
    with pytest.raises(DataError, match="E01"):
        metrics.measure(["accuracy"], _written(["a"], ["a"]))


def test_probabilities_that_are_no_numbers_have_no_score() -> None:
    outcome = outcome_of([(0, 0), (1, 1)])
    broken = np.full((2, 5), np.nan)
    scores = metrics.measure(["accuracy", "macro_f1", "roc_auc"], outcome.answered(broken))
    assert all(math.isnan(score) for score in scores.values())
