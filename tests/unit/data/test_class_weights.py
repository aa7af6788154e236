"""Class weights: every label counts the same, and a row counts 1 on average."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.class_weights import class_weights


@given(st.lists(st.sampled_from(["a", "b", "其他"]), min_size=1))
def test_labels_weigh_the_same_and_rows_weigh_one_on_average(labels: list[str]) -> None:
    weights = class_weights(labels)
    assert sum(weights[label] for label in labels) / len(labels) == pytest.approx(1)
    shares = [weights[label] * labels.count(label) for label in weights]
    assert shares == pytest.approx([shares[0]] * len(shares))


def test_labels_of_the_same_frequency_weigh_exactly_one() -> None:
    assert class_weights(["a", "b", "b", "a"]) == {"a": 1.0, "b": 1.0}
