"""Every kind of outcome comes back as it was, its rows under the ids they share with other files."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from tunesmith.core.errors import DataError
from tunesmith.eval import outcome_file
from tunesmith.eval.outcome import (
    AnswerOutcome,
    EntityOutcome,
    LabelOutcome,
    LabelsOutcome,
    PreferenceOutcome,
    RetrievalOutcome,
    ScoreOutcome,
    SimilarityOutcome,
    TextOutcome,
    TokenOutcome,
)

ROWS = [7, 9]
TEXTS = ["去北京", "to Bath"]
FLAGS = np.array([[1, 0], [1, 1]], dtype=np.int8)
NUMBERS = np.array([0.25, 0.5])
KINDS = [
    LabelOutcome(labels=("a", "b"), texts=TEXTS, targets=np.array([0, 1]), predicted=np.array([1, 1]),
                 probabilities=np.array([[0.25, 0.75], [0.5, 0.5]]), rows=np.array(ROWS)),
    LabelsOutcome(labels=("a", "b"), texts=TEXTS, targets=FLAGS, probabilities=FLAGS / 2, rows=ROWS),
    ScoreOutcome(texts=TEXTS, targets=NUMBERS, predicted=NUMBERS, rows=ROWS),
    SimilarityOutcome(sources=TEXTS, others=TEXTS, targets=NUMBERS, predicted=NUMBERS, rows=ROWS),
    TokenOutcome(nll=np.array([1.5, np.inf]), tokens=np.array([3, 4]), rows=ROWS),
    TokenOutcome(nll=NUMBERS, tokens=np.array([3, 4]), rows=ROWS, right=np.array([1, 2])),
    TextOutcome(sources=TEXTS, targets=TEXTS, predicted=["", "\n"], rows=ROWS),
    PreferenceOutcome(rewards=np.array([[1.0, 0.5], [0, 1]]), tokens=np.array([[3, 4], [5, 6]]), rows=ROWS),
    RetrievalOutcome(sources=TEXTS, documents=["x", "y", "z"], right=np.array([0, 2]),
                     ranks=np.array([1, 3]), rows=ROWS),
    EntityOutcome(texts=TEXTS, tokens=[[(0, 1), (1, 3)], [(0, 2)]], targets=[[(1, 3, "city")], []],
                  predicted=[[], []], rows=ROWS),
    AnswerOutcome(questions=TEXTS, contexts=TEXTS, targets=[["北京", "京"], []], predicted=["", "Bath"],
                  rows=ROWS),
]  # fmt: skip


def listed(value: object) -> object:
    """Arrays and tuples as lists."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return [listed(one) for one in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("outcome", KINDS, ids=lambda one: type(one).__name__)
def test_an_outcome_comes_back_as_it_was(outcome, tmp_path):
    path = tmp_path / "outcome.parquet"
    outcome_file.write(path, outcome, {7: 70, 9: 2**62})
    found = outcome_file.read(path)
    assert type(found) is type(outcome)
    for field in fields(outcome):
        wanted = [70, 2**62] if field.name == "rows" else listed(getattr(outcome, field.name))
        assert listed(getattr(found, field.name)) == wanted, field.name


@pytest.mark.parametrize("content", [None, b"", b"PAR1 and nothing"])
def test_what_is_no_outcome_is_refused(content, tmp_path):
    path = tmp_path / "outcome.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"outcome\.parquet"):
        outcome_file.read(path)
