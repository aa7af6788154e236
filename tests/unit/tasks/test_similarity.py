"""Triplets and pairs with a score: what is learned of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from tunesmith.eval import baselines, scores
from tunesmith.eval.outcome import SimilarityOutcome
from tunesmith.models.backbone import Generic
from tunesmith.tasks.embed import Contrast, Embed
from tunesmith.tasks.similarity import Similarity
from tunesmith.tasks.task import Comparing, Learner
from tunesmith.train.losses import cosine, multiple_negatives

ROWS = pl.DataFrame(
    {
        "_row": [1, 2],
        "source": ["Where is my parcel?", "late"],
        "target": ["The parcel is late.", "I was charged twice!"],
        "negative": ["I was charged twice!", "The parcel"],
        "score": [1.0, 5.0],
    }
)


def test_the_negatives_of_a_batch_are_wrong_for_all_its_rows_unless_they_are_right(
    build: Callable[..., Learner],
) -> None:
    task = Contrast()
    examples = task.encode(ROWS, build(task, "bert"))[0]
    seen: list[torch.Tensor] = []

    def loss(similarity: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        seen.append(similarity)
        return multiple_negatives(similarity, target)

    vectors = torch.nn.functional.normalize(torch.randn(2, 3, 8), dim=-1)
    assert torch.isfinite(task.compare(vectors, examples, loss))
    # Two targets, then two negatives; the first negative is the second row's own target.
    assert torch.isinf(seen[0]).nonzero().tolist() == [[1, 2]]


def test_scores_are_learned_as_cosines_between_the_least_and_the_greatest(
    build: Callable[..., Learner],
) -> None:
    task = Similarity()
    learner = replace(build(task, "bert"), bounds=(1.0, 5.0))
    examples = task.encode(ROWS, learner)[0]
    learner.module.eval()
    found = torch.from_numpy(task.measure(learner, examples)["similarities"])
    loss = task.objective(learner, Generic(learner.backbone, speaks=False), examples, cosine)
    torch.testing.assert_close(loss, found[0] ** 2 + (found[1] - 1) ** 2)
    # The rows do not depend on each other: they need not be computed twice.
    assert not isinstance(task, Comparing)
    assert [form.shape for form in Embed().others()] == ["contrasted", "compared"]


def test_texts_with_more_in_common_are_more_alike_for_the_baseline() -> None:
    beside = SimilarityOutcome(
        sources=["the cat sat", "the cat sat", "the cat sat"],
        others=["the cat sat down", "a cat", "markets fell"],
        targets=np.array([5.0, 3.0, 0.0]),
        predicted=np.zeros(3),
        rows=[0, 1, 2],
    )
    found = baselines.run(["tfidf_similarity"], beside.sources, beside.others, beside)["tfidf_similarity"]
    assert scores.spearman(found) == pytest.approx(1)
    assert scores.spearman(beside) == 0
