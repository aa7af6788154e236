"""The label-by-label view of a classification."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import classification_report, confusion_matrix

from tunesmith.core.errors import DataError
from tunesmith.eval import classes
from tunesmith.eval.outcome import LabelOutcome


def place(row: int) -> tuple[str, int]:
    return "rows.csv", row


def many_rows(seed: int) -> LabelOutcome:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(6), 300)
    return LabelOutcome(
        labels=tuple("abcdef"),
        texts=[f"row {i}" for i in range(300)],
        # No row has the last label: it must still have its line, with zeros.
        targets=generator.integers(0, 5, 300),
        predicted=probabilities.argmax(axis=1),
        probabilities=probabilities,
        rows=np.arange(300),
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_table_equals_scikit_learns(seed: int) -> None:
    outcome = many_rows(seed)
    expected = classification_report(
        outcome.targets,
        outcome.predicted,
        labels=range(6),
        target_names=outcome.labels,
        output_dict=True,
        zero_division=0,
    )
    for score in classes.per_class(outcome):
        line = expected[score.label]
        assert (score.precision, score.recall, score.f1, score.support) == (
            line["precision"], line["recall"], line["f1-score"], line["support"],
        )  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_confusion_matrix_equals_scikit_learns(seed: int) -> None:
    outcome = many_rows(seed)
    expected = confusion_matrix(outcome.targets, outcome.predicted, labels=range(6))
    assert classes.confusion_matrix(outcome) == tuple(map(tuple, expected.tolist()))


def test_mistakes_come_with_their_place_and_the_surest_first(outcome: LabelOutcome) -> None:
    found = classes.mistakes(outcome, lambda row: ("tickets.csv", row + 2))
    assert [(m.text, m.file, m.line) for m in found] == [
        ("text 4", "tickets.csv", 106),
        ("text 2", "tickets.csv", 104),
    ]
    assert (found[0].target, found[0].predicted) == ("other", "发票")
    assert found[0].probability == pytest.approx(0.99)


def test_mistakes_are_bounded() -> None:
    assert len(classes.mistakes(many_rows(0), place)) == classes.MAX_MISTAKES
    assert len(classes.mistakes(many_rows(0), place, limit=3)) == 3


def test_pairs_of_labels_are_ranked_by_how_often_they_are_confused() -> None:
    matrix = ((5, 0, 4), (1, 9, 0), (0, 4, 1))
    found = classes.most_confused(("a", "b", "c"), matrix, 2)
    assert [(pair.target, pair.predicted, pair.count) for pair in found] == [("c", "b", 4), ("a", "c", 4)]
    assert found[0].share == pytest.approx(0.8)


def test_texts_are_shortened_and_can_be_written() -> None:
    assert len(classes.clip("长" * 5000)) < 500
    assert classes.clip("half \ud83d of a sign").encode("utf-8")


def test_no_rows_are_an_error(outcome: LabelOutcome) -> None:
    nothing = LabelOutcome(
        labels=outcome.labels,
        texts=[],
        targets=np.array([], dtype=np.int64),
        predicted=np.array([], dtype=np.int64),
        probabilities=np.empty((0, 3)),
        rows=np.array([], dtype=np.int64),
    )
    with pytest.raises(DataError, match="E03"):
        classes.per_class(nothing)
