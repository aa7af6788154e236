"""A reward for answers, learned from which of two is better (Bradley and Terry 1952; Ouyang et al. 2022)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunesmith.tasks import encoders
from tunesmith.tasks.score import Score
from tunesmith.tasks.task import Example, Learner, Task, weights

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

    from tunesmith.models.backbone import Backbone
    from tunesmith.tasks.task import Loss


class Reward(Score):
    """Rows of `prompt`, `chosen` and `rejected`: the better answer is to have the larger number."""

    shape: ClassVar[str] = "preferred"
    metrics: ClassVar[tuple[str, ...]] = ("preference_accuracy", "reward_margin")
    baselines: ClassVar[tuple[str, ...]] = ("longer",)
    losses: ClassVar[tuple[str, ...]] = ("bradley_terry",)

    def others(self) -> Sequence[Task]:
        """None: it is one itself."""
        return ()

    def texts(self, frame: pl.DataFrame) -> list[str]:
        """Both conversations of every row."""
        return [text for pair in talks(frame) for text in pair]

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Both conversations, of each its end; `target` says where the second begins."""
        from tunesmith.models import encoding, scorer

        encoded = encoding.encode(learner.tokenizer, self.texts(frame))
        examples: list[Example] = []
        cut: dict[int, int] = {}
        for i, (row, weight) in enumerate(zip(frame["_row"], weights(frame), strict=True)):
            pair = [scorer.ending(item, learner.card.context) for item in encoded[2 * i : 2 * i + 2]]
            ids, begins = encoders.row_ids([np.asarray(one, dtype=np.int32) for one, _ in pair])
            examples.append(Example(row, ids, np.array(begins, dtype=np.float32), weight))
            if lost := sum(gone for _, gone in pair):
                cut[row] = lost
        return examples, cut

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Loss
    ) -> Tensor:
        """The loss of the two rewards of each row, summed by the weights."""
        import torch

        module: Any = learner.module
        rows = [part for example in examples for part in _halves(example)]
        found = module.scores(backbone.hidden(rows), [len(row) for row in rows]).view(-1, 2)
        weight = torch.tensor([example.weight for example in examples])
        return (loss(found[:, 0].float(), found[:, 1].float()) * weight).sum()

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`rewards` [rows, 2] of the better and the worse answers, and their lengths in tokens, `tokens`."""
        from tunesmith.models.scorer import scores

        module: Any = learner.module
        rows = [part for example in examples for part in _halves(example)]
        lengths = np.array([len(row) for row in rows], dtype=np.int64).reshape(-1, 2)
        return {"rewards": scores(module, rows).reshape(-1, 2), "tokens": lengths}


def talks(frame: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """Both conversations of each row as texts, the better first."""
    from tunesmith.models.scorer import written

    for prompt, chosen, rejected in frame.select("prompt", "chosen", "rejected").iter_rows():
        yield written([*prompt, *chosen]), written([*prompt, *rejected])


def _halves(example: Example) -> list[Any]:
    return np.split(example.ids, np.asarray(example.target).astype(np.int64))
