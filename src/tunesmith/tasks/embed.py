"""Text embeddings: texts that belong together become vectors that lie together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunesmith.models import device
from tunesmith.tasks import encoders
from tunesmith.tasks.task import Example, Learner, Start, Task, weights

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray
    from torch import Tensor

    from tunesmith.models.backbone import Backbone
    from tunesmith.tasks.task import Adapt, Loss


class Vectors:
    """What all ways of learning vectors share: rows of several texts, each of which becomes a vector."""

    name: ClassVar[str] = "embed"
    fields: ClassVar[tuple[str, ...]]

    def texts(self, frame: pl.DataFrame) -> list[str]:
        """All texts of the rows."""
        return [text for field in self.fields for text in frame[field].to_list()]

    def build(self, start: Start, contract: Adapt) -> Learner:
        """An encoder; its vectors need no head and no prompt contract."""
        encoder, tokens = encoders.begin(start)
        card = encoders.card(start, encoder, "embedder", self.name)
        return Learner(module=encoder, backbone=encoder, tokenizer=tokens, card=card)

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """The texts of a row one after the other, each cut to the context; `target` says where they begin."""
        sides = [encoders.encode(learner, frame[field].to_list()) for field in self.fields]
        examples: list[Example] = []
        cut: dict[int, int] = {}
        for i, (row, weight) in enumerate(zip(frame["_row"], weights(frame), strict=True)):
            ids, begins = encoders.row_ids([side[0][i] for side in sides])
            examples.append(Example(row, ids, np.array(begins, dtype=np.float32), weight))
            if lost := sum(side[1][i] for side in sides):
                cut[row] = lost
        return examples, cut

    def embedded(self, backbone: Backbone, examples: Sequence[Example]) -> Tensor:
        """The vectors [examples, texts of a row, width] of length 1 of all texts of the examples."""
        from tunesmith.models.classifier import means
        from tunesmith.models.embedder import unit

        parts = [part for example in examples for part in parts_of(example, len(self.fields))]
        mean = means(backbone.hidden(parts), [len(part) for part in parts])
        return unit(mean).view(len(examples), len(self.fields), -1)

    def save(self, learner: Learner, folder: Path) -> None:
        """Encoder or adapter, tokenizer, card."""
        from tunesmith.tasks.saving import save_backbone

        save_backbone(learner, folder, task_type="FEATURE_EXTRACTION")


class Embed(Vectors):
    """Rows of `source` and `target` that belong together: a source finds its own among all of a batch.

    After Henderson et al. 2017 and Reimers and Gurevych 2019.
    """

    shape: ClassVar[str] = "paired"
    fields: ClassVar[tuple[str, ...]] = ("source", "target")
    metrics: ClassVar[tuple[str, ...]] = ("ndcg_at_10", "mrr_at_10", "recall_at_1", "recall_at_10")
    baselines: ClassVar[tuple[str, ...]] = ("tfidf_cosine",)
    losses: ClassVar[tuple[str, ...]] = ("multiple_negatives",)

    def others(self) -> Sequence[Task]:
        """For triplets, and for pairs with a score."""
        from tunesmith.tasks.similarity import Similarity

        return (Contrast(), Similarity())

    def vectors(self, backbone: Backbone, examples: Sequence[Example]) -> Tensor:
        """The vectors [examples, texts of a row, width] that are compared."""
        return self.embedded(backbone, examples)

    def compare(self, vectors: Tensor, examples: Sequence[Example], loss: Loss) -> Tensor:
        """The loss of each source against the targets of all rows, summed over the rows by their weights.

        Targets that are as right as its own (the same text, or those of the same source) do not count.
        """
        import torch

        sources, targets = vectors[:, 0], vectors[:, 1:].transpose(0, 1).flatten(0, 1)
        others = device.tensor(_as_right(examples, len(self.fields)))
        similarity = (sources @ targets.T).masked_fill(others, float("-inf"))  # [rows, targets]
        weight = torch.tensor([example.weight for example in examples])
        return (loss(similarity.float(), torch.arange(len(examples))) * weight).sum()

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Loss
    ) -> Tensor:
        """`compare` of `vectors`."""
        return self.compare(self.vectors(backbone, examples), examples, loss)

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`vectors` [rows, 2, width] of the sources and targets."""
        from tunesmith.models.embedder import vectors

        width = int(learner.backbone.config.hidden_size)  # type: ignore[union-attr, arg-type]
        parts = [part for example in examples for part in parts_of(example, len(self.fields))[:2]]
        return {"vectors": vectors(learner.module, parts, width).reshape(len(examples), 2, width)}


class Contrast(Embed):
    """Rows with a `negative` beside: a text that is nearly right, and is among the wrong ones of a batch."""

    shape: ClassVar[str] = "contrasted"
    fields: ClassVar[tuple[str, ...]] = ("source", "target", "negative")

    def others(self) -> Sequence[Task]:
        """None: it is one itself."""
        return ()


def parts_of(example: Example, count: int) -> list[NDArray[np.integer[Any]]]:
    """The ids of each of the `count` texts of a row."""
    begins = np.asarray(example.target)[: count - 1].astype(np.int64)
    return np.split(example.ids, begins)


def _as_right(examples: Sequence[Example], count: int) -> NDArray[np.bool_]:
    """Which targets [rows, targets] are no wrong answers to a row, although they are not its own."""
    numbers: dict[bytes, int] = {}
    texts = np.array(
        [
            [numbers.setdefault(part.tobytes(), len(numbers)) for part in parts_of(example, count)]
            for example in examples
        ]
    )
    sources, row = np.unique(texts[:, 0], return_inverse=True)
    right = np.zeros((len(sources), len(numbers)), dtype=bool)
    right[row, texts[:, 1]] = True
    found = right[row][:, texts[:, 1:].T.ravel()]
    np.fill_diagonal(found, val=False)
    return found
