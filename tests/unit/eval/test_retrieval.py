"""Ranks and what is measured by them, reckoned by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tunesmith.core.errors import DataError
from tunesmith.eval import baselines, metrics, retrieval
from tunesmith.eval.outcome import RetrievalOutcome, TokenOutcome

NAMES = ("recall_at_1", "recall_at_10", "mrr_at_10", "ndcg_at_10")


def ranked(*ranks: int) -> RetrievalOutcome:
    texts = [str(i) for i in range(len(ranks))]
    return retrieval.unranked(texts, texts, range(len(ranks))).ranked(np.array(ranks))


def test_right_answers_are_counted_by_their_place() -> None:
    found = metrics.measure(NAMES, ranked(1, 2, 10, 11))
    assert found["recall_at_1"] == 1 / 4
    assert found["recall_at_10"] == 3 / 4
    assert found["mrr_at_10"] == pytest.approx((1 + 1 / 2 + 1 / 10) / 4)
    assert found["ndcg_at_10"] == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(11)) / 4)


def test_documents_are_told_once_and_other_right_answers_are_left_out() -> None:
    wanted = retrieval.unranked(["a", "a", "b"], ["x", "y", "x"], [4, 5, 6])
    assert list(wanted.documents) == ["x", "y"]
    close = np.array([[0.5, 0.9], [0.5, 0.9], [0.2, 0.2]])
    # `a` is answered by `x` and by `y`: neither stands in the way of the other. Equal ones do.
    assert retrieval.ranks(wanted, lambda part: close[part]).tolist() == [1, 1, 2]


def test_vectors_that_are_no_numbers_find_nothing() -> None:
    wanted = retrieval.unranked(["a", "b", "c"], ["x", "y", "z"], [0, 1, 2])
    close = np.array([[np.nan] * 3, [0.1, 0.9, np.nan], [0.1, 0.2, 0.9]])
    assert retrieval.ranks(wanted, lambda part: close[part]).tolist() == [3, 2, 1]


def test_texts_with_the_same_runs_of_characters_find_each_other() -> None:
    sources, targets = ["the parcel is late", "快递什么时候能到"], ["a late parcel", "快递到了"]
    wanted = retrieval.unranked(sources, targets, [0, 1])
    found = baselines.run(["tfidf_cosine"], sources, targets, wanted)["tfidf_cosine"]
    assert found.ranks.tolist() == [1, 1]


@pytest.mark.parametrize("name", NAMES)
def test_what_has_no_ranks_or_rows_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="M84"):
        metrics.measure([name], TokenOutcome(nll=np.ones(1), tokens=np.ones(1, int), rows=[0]))
    with pytest.raises(DataError, match="E03"):
        metrics.measure([name], ranked())
