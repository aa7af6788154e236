"""Token classification: named entities and other labelled spans of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunesmith.core.errors import DataError
from tunesmith.models import device
from tunesmith.tasks import encoders
from tunesmith.tasks.task import Example, Learner, Start, of_targets, weights

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

    from tunesmith.models.backbone import Backbone
    from tunesmith.models.tagger import TextTagger
    from tunesmith.tasks.task import Adapt, Loss


class Tag:
    """Rows of `text` and `spans`; an encoder with a linear head on the first token of each unit.

    A text longer than the context is several examples, so that nothing of it is lost.
    """

    name: ClassVar[str] = "tag"
    shape: ClassVar[str] = "tagged"
    metrics: ClassVar[tuple[str, ...]] = ("entity_f1", "token_accuracy")
    baselines: ClassVar[tuple[str, ...]] = ("dictionary",)
    losses: ClassVar[tuple[str, ...]] = ("cross_entropy",)

    def texts(self, frame: pl.DataFrame) -> list[str]:
        """All text of the rows."""
        return frame["text"].to_list()

    def build(self, start: Start, contract: Adapt) -> Learner:
        """An encoder with a fresh head; a tokenizer made here learns units.

        Raises:
            DataError: T20 when no row has a span.
        """
        import torch

        from tunesmith.models import bio, pieced
        from tunesmith.models.heads import Headed

        if not start.labels:
            raise DataError("T20")
        encoder, tokens = encoders.begin(replace(start, texts=pieced.words(start.texts)))
        torch.manual_seed(start.seed)
        card = encoders.card(start, encoder, "tagger", self.name)
        module = Headed(encoder, bio.count(start.labels))
        return Learner(module=module, backbone=encoder, tokenizer=tokens, card=card)

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Texts in parts of the context; the target of a token is its tag, or -1 where none is asked."""
        from tunesmith.models import bio, pieced

        before, after = pieced.frame(learner.tokenizer)
        room = learner.card.context - len(before) - len(after)
        encoded = pieced.encode(learner.tokenizer, frame["text"].to_list())
        examples: list[Example] = []
        for row, spans, weight, item in zip(
            frame["_row"], frame["spans"].to_list(), weights(frame), encoded, strict=True
        ):
            entities = [(span["start"], span["end"], span["label"]) for span in spans]
            tags = bio.encode(entities, item.units, learner.card.labels)
            asked = np.where(item.first, tags[item.of], -1).astype(np.int16)
            for start, end in pieced.windows(item, room):
                ids = np.array([*before, *item.ids[start:end], *after], dtype=np.int32)
                target = np.full(len(ids), -1, dtype=np.int16)
                target[len(before) : len(before) + end - start] = asked[start:end]
                examples.append(Example(row, ids, target, weight))
        return examples, {}

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Loss
    ) -> Tensor:
        """The loss of the tags, summed over the units by the weights of their rows."""
        tags = np.concatenate([np.asarray(example.target) for example in examples])
        places = np.flatnonzero(tags >= 0)
        hidden = backbone.hidden([example.ids for example in examples], device.tensor(places))
        logits = learner.module.logits(hidden)  # type: ignore[operator]
        target = device.tensor(tags[places].astype(np.int64))
        return (loss(logits.float(), target) * of_targets(examples)).sum()

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`model`: what finds entities in texts."""
        return {"model": _tagger(learner)}

    def save(self, learner: Learner, folder: Path) -> None:
        """Backbone or adapter, head, tokenizer, card."""
        from tunesmith.tasks.saving import save_backbone

        save_backbone(learner, folder, task_type="TOKEN_CLS")
        learner.module.save_head(folder)  # type: ignore[operator]


def _tagger(learner: Learner) -> TextTagger:
    from tunesmith.models.tagger import TextTagger

    return TextTagger(
        name=str(learner.card.task),
        module=learner.module,  # type: ignore[arg-type]
        tokenizer=learner.tokenizer,
        labels=learner.card.labels,
        context=learner.card.context,
    )
