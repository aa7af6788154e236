"""Text classification with any number of labels for each text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunesmith.tasks import encoders
from tunesmith.tasks.classify import Classify
from tunesmith.tasks.task import Example, Learner, Start, Task, weights

if TYPE_CHECKING:
    import polars as pl

    from tunesmith.tasks.task import Adapt


class ClassifySeveral(Classify):
    """Rows of `text` and `labels`; each label is decided on by itself, from a probability of one half on."""

    shape: ClassVar[str] = "multilabelled"
    metrics: ClassVar[tuple[str, ...]] = ("micro_f1", "macro_f1", "subset_accuracy")
    baselines: ClassVar[tuple[str, ...]] = ("label_shares", "tfidf_labels")
    losses: ClassVar[tuple[str, ...]] = ("bce", "focal")

    def others(self) -> Sequence[Task]:
        """None: it is one itself."""
        return ()

    def build(self, start: Start, contract: Adapt) -> Learner:
        """As for one label, with a card that says so."""
        learner = super().build(start, contract)
        return replace(learner, card=replace(learner.card, several=True))

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Texts cut to the context; for each label 0 or 1."""
        place = {label: i for i, label in enumerate(learner.card.labels)}
        encoded, lost = encoders.encode(learner, frame["text"].to_list())
        examples: list[Example] = []
        rows = zip(frame["_row"], frame["labels"].to_list(), weights(frame), encoded, strict=True)
        for row, labels, weight, ids in rows:
            target = np.zeros(len(place), dtype=np.float32)
            target[[place[label] for label in labels]] = 1
            examples.append(Example(row, ids, target, weight))
        return examples, {row: cut for row, cut in zip(frame["_row"], lost, strict=True) if cut}

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`shares` [rows, labels]: the probability of each label."""
        from tunesmith.models.classifier import probabilities

        rows = [example.ids for example in examples]
        return {"shares": probabilities(learner.module, rows, several=True)}
