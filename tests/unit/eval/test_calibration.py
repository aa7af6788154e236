"""Calibration: errors as defined, a temperature that is found again, thresholds that help on other rows."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.eval import calibration, metrics, thresholds
from tunesmith.eval.outcome import LabelOutcome, LabelsOutcome


def answered(logits: np.ndarray, targets: np.ndarray) -> LabelOutcome:
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return LabelOutcome(
        labels=tuple("abc"), texts=[""] * len(targets), targets=targets, predicted=shares.argmax(axis=1),
        probabilities=shares, rows=np.arange(len(targets)),
    )  # fmt: skip


def drawn(rows: int, seed: int, heat: float) -> LabelOutcome:
    """Targets drawn by the probabilities of logits, which the model gives times `heat`."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=1.5, size=(rows, 3))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    targets = (shares.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    return answered(heat * logits, targets)


def test_the_error_is_the_distance_of_sureness_and_truth_weighed_by_rows():
    sure, unsure = np.log([[0.95, 0.04, 0.01]]), np.log([[0.5, 0.3, 0.2]])
    outcome = answered(np.vstack([sure, sure, unsure, unsure]), np.array([0, 1, 0, 0]))
    # Of two rows at 0.95 one is right, of two at 0.5 both.
    assert calibration.calibration_error(outcome) == pytest.approx((abs(0.95 - 0.5) + abs(0.5 - 1)) / 2)
    assert [each.rows for each in calibration.calibration(outcome).bins] == [2, 2]


def test_a_model_that_is_too_sure_is_cooled_to_what_it_should_be():
    test, validation = drawn(4000, 1, heat=3.0), drawn(2000, 2, heat=3.0)
    found = calibration.calibration(test, validation)
    assert found.temperature == pytest.approx(3, rel=0.1)
    assert found.scaled_error < 0.03 < 0.1 < found.error
    fair = calibration.calibration(drawn(4000, 1, heat=1.0), drawn(2000, 2, heat=1.0))
    assert fair.temperature == pytest.approx(1, rel=0.1)
    assert fair.error < 0.03


def test_cooling_changes_no_answer():
    outcome = drawn(50, 3, heat=2.0)
    cooled = calibration.cooled(outcome.probabilities, 2.0)
    assert cooled.sum(axis=1) == pytest.approx(1)
    assert (cooled.argmax(axis=1) == outcome.predicted).all()


def test_the_surest_rows_are_right_more_often_and_all_rows_have_the_accuracy():
    outcome = drawn(2000, 4, heat=1.0)
    kept = calibration.calibration(outcome).abstention
    assert len(kept) == 20
    assert kept[0].accuracy > kept[-1].accuracy == pytest.approx(metrics.accuracy(outcome))
    assert [each.coverage for each in kept] == sorted(each.coverage for each in kept)
    assert kept[0].threshold > kept[-1].threshold


def test_thresholds_are_chosen_on_other_rows_and_help_where_a_half_is_wrong():
    def timid(rows: int, seed: int) -> LabelsOutcome:
        """The first label is given half the probability it should have."""
        rng = np.random.default_rng(seed)
        targets = (rng.random((rows, 2)) < 0.4).astype(np.int8)
        shares = np.where(targets > 0, rng.uniform(0.5, 1, (rows, 2)), rng.uniform(0, 0.5, (rows, 2)))
        shares[:, 0] /= 2
        return LabelsOutcome(
            labels=("timid", "fair"), texts=[""] * rows, targets=targets, probabilities=shares,
            rows=range(rows),
        )  # fmt: skip

    first, second = thresholds.thresholds(timid(200, 1), timid(200, 2))
    assert (first.label, second.label) == ("timid", "fair")
    assert 0.2 <= first.threshold <= 0.3
    assert first.usual == 0 < 0.9 < first.f1
    assert second.threshold == 0.5
    assert second.f1 == second.usual
