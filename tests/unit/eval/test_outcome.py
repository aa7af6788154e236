"""Outcomes hold what belongs together."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.eval.outcome import LabelOutcome, aligned


def test_arrays_of_different_lengths_are_refused(outcome: LabelOutcome) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        outcome.answered(np.ones((4, 3)))


def test_another_models_answers_keep_the_rows(outcome: LabelOutcome) -> None:
    other = outcome.answered(np.tile([0.2, 0.5, 0.3], (5, 1)))
    assert other.predicted.tolist() == [1] * 5
    assert other.rows.tolist() == outcome.rows.tolist()


def test_columns_are_put_in_the_order_that_is_wanted() -> None:
    found = aligned(np.array([[0.7, 0.3]], dtype=np.float32), ("b", "a"), ("a", "b", "c"))
    np.testing.assert_allclose(found, [[0.3, 0.7, 0.0]], rtol=1e-6)
