"""Text classification: one label for each text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunesmith.models import device
from tunesmith.tasks import encoders
from tunesmith.tasks.task import Example, Learner, Start, Task, of_targets, weights

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

    from tunesmith.models.backbone import Backbone
    from tunesmith.tasks.task import Adapt, Loss


class Classify:
    """Rows of `text` and `label`; an encoder with a linear head; accuracy and macro F1."""

    name: ClassVar[str] = "classify"
    shape: ClassVar[str] = "labelled"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy", "macro_f1")
    baselines: ClassVar[tuple[str, ...]] = ("majority", "tfidf")
    losses: ClassVar[tuple[str, ...]] = ("cross_entropy", "focal", "bce", "kl")

    def others(self) -> Sequence[Task]:
        """For rows with several labels."""
        from tunesmith.tasks.classify_several import ClassifySeveral

        return (ClassifySeveral(),)

    def texts(self, frame: pl.DataFrame) -> list[str]:
        """All text of the rows."""
        return frame["text"].to_list()

    def build(self, start: Start, contract: Adapt) -> Learner:
        """An encoder with a fresh head; classification has no prompt contract."""
        import torch

        from tunesmith.models.classifier import Classifier

        encoder, tokens = encoders.begin(start)
        torch.manual_seed(start.seed)
        card = encoders.card(start, encoder, "classifier", self.name)
        module = Classifier(encoder, len(start.labels))
        return Learner(module=module, backbone=encoder, tokenizer=tokens, card=card)

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Texts cut to the context; labels by their index."""
        index = {label: i for i, label in enumerate(learner.card.labels)}
        encoded, lost = encoders.encode(learner, frame["text"].to_list())
        examples: list[Example] = []
        cut: dict[int, int] = {}
        rows = zip(frame["_row"], frame["label"], weights(frame), encoded, lost, strict=True)
        for row, label, weight, ids, gone in rows:
            examples.append(Example(row, ids, index[label], weight))
            if gone:
                cut[row] = gone
        return examples, cut

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Loss
    ) -> Tensor:
        """The loss of the logits against the labels, summed over the rows by their weights."""
        logits = self.logits(learner, backbone, examples)
        return (loss(logits, *wanted(examples)) * of_targets(examples)).sum()

    def logits(self, learner: Learner, backbone: Backbone, examples: Sequence[Example]) -> Tensor:
        """What the model says of the examples, [examples, labels] in float32, with gradient."""
        from tunesmith.models.classifier import means

        hidden = backbone.hidden([example.ids for example in examples])
        mean = means(hidden, [len(example.ids) for example in examples])
        logits: Tensor = learner.module.logits(mean).float()  # type: ignore[operator]
        return logits

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`probabilities` [rows, labels]."""
        from tunesmith.models.classifier import probabilities

        return {"probabilities": probabilities(learner.module, [example.ids for example in examples])}

    def save(self, learner: Learner, folder: Path) -> None:
        """Backbone or adapter, head, tokenizer, card."""
        from tunesmith.tasks.saving import save_backbone

        save_backbone(learner, folder, task_type="FEATURE_EXTRACTION")
        learner.module.save_head(folder)  # type: ignore[operator]


def wanted(examples: Sequence[Example]) -> list[Tensor]:
    """What a loss is given beside logits: the targets of the examples, and what a teacher said if one did."""
    import torch

    target = device.tensor(np.array([example.target for example in examples]))
    taught = [torch.tensor([example.reference for example in examples])] if examples[0].reference else []
    return [target, *taught]
