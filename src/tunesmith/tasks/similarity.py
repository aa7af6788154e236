"""Text embeddings from pairs with a number that says how alike they are (Reimers and Gurevych 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunesmith.tasks.embed import Vectors, parts_of
from tunesmith.tasks.task import Example, Learner, Start

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

    from tunesmith.models.backbone import Backbone
    from tunesmith.tasks.task import Adapt, Loss


class Similarity(Vectors):
    """Rows of `source`, `target` and `score`: the more alike, the larger the cosine of their vectors.

    The smallest score of the training part stands for a cosine of 0, the largest for one of 1.
    """

    shape: ClassVar[str] = "compared"
    fields: ClassVar[tuple[str, ...]] = ("source", "target")
    metrics: ClassVar[tuple[str, ...]] = ("spearman", "pearson")
    baselines: ClassVar[tuple[str, ...]] = ("tfidf_similarity",)
    losses: ClassVar[tuple[str, ...]] = ("cosine",)

    def build(self, start: Start, contract: Adapt) -> Learner:
        """An encoder that knows between which scores it learns."""
        return replace(super().build(start, contract), bounds=start.bounds)

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Both texts of a row; `target` says where the second begins, and the score."""
        examples, cut = super().encode(frame, learner)
        told = zip(examples, frame["score"], strict=True)
        return [
            replace(example, target=np.array([*np.asarray(example.target), score], dtype=np.float32))
            for example, score in told
        ], cut

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Loss
    ) -> Tensor:
        """The loss of the cosines of the rows, summed over them by their weights."""
        import torch

        one, other = self.embedded(backbone, examples).unbind(1)
        lowest, highest = learner.bounds
        scores = torch.tensor([float(np.asarray(example.target)[-1]) for example in examples])
        wanted = (scores - lowest) / (highest - lowest or 1.0)
        weight = torch.tensor([example.weight for example in examples])
        return (loss((one * other).sum(-1).float(), wanted) * weight).sum()

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`similarities` [rows]: the cosines."""
        from tunesmith.models.embedder import vectors

        width = int(learner.backbone.config.hidden_size)  # type: ignore[union-attr, arg-type]
        parts = [part for example in examples for part in parts_of(example, 2)]
        found = vectors(learner.module, parts, width).reshape(len(examples), 2, width)
        return {"similarities": (found[:, 0] * found[:, 1]).sum(-1)}
