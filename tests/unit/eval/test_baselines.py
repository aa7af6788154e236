"""Baselines answer the model's own rows."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.core.errors import DataError, RecipeError
from tunesmith.eval import baselines
from tunesmith.eval.outcome import LabelOutcome, TextOutcome

TEXTS = ["我要退款", "请给我退款", "退款多久到账", "开一张发票", "发票抬头写错了", "text 3 text 4"]
LABELS = ["退款", "退款", "退款", "发票", "发票", "other"]


def test_majority_always_says_the_most_frequent_label(outcome: LabelOutcome) -> None:
    found = baselines.majority(TEXTS, LABELS, outcome)
    assert found.predicted.tolist() == [0] * 5
    np.testing.assert_allclose(found.probabilities[0], [3 / 6, 2 / 6, 1 / 6])


def test_tfidf_learns_and_answers_in_the_models_order_of_labels(outcome: LabelOutcome) -> None:
    found = baselines.run(["tfidf"], TEXTS, LABELS, outcome)["tfidf"]
    assert found.labels == outcome.labels
    # "text 3" was seen as `other`, the last of the labels here though not in sorted order.
    assert found.predicted[3] == 2
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)


def test_training_rows_of_one_label_are_an_error(outcome: LabelOutcome) -> None:
    with pytest.raises(DataError, match="E07"):
        baselines.run(["tfidf"], TEXTS, ["退款"] * 6, outcome)


def test_an_unknown_baseline_is_met_with_a_suggestion(outcome: LabelOutcome) -> None:
    with pytest.raises(RecipeError, match="did you mean `tfidf`"):
        baselines.run(["tf-idf"], TEXTS, LABELS, outcome)


def test_a_copy_and_the_nearest_source_answer_for_a_translation() -> None:
    sources = ["我喜欢你。", "他跑了。", "今天下雨了。"]
    targets = ["I like you.", "He ran.", "It is raining today."]
    asked = TextOutcome(
        sources=["我很喜欢你。", "今天下雪了。"], targets=["", ""], predicted=["", ""], rows=[0, 1]
    )
    found = baselines.run(["copy", "nearest"], sources, targets, asked)
    assert found["copy"].predicted == asked.sources
    assert found["nearest"].predicted == ["I like you.", "It is raining today."]
