"""Numbers for texts: regression, and a reward for answers that is learned from preferences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunesmith.core.recipe import Scratch
from tunesmith.models import card as cards
from tunesmith.models import device
from tunesmith.models.families import FAMILIES
from tunesmith.models.resolve import Resolved
from tunesmith.tasks import encoders
from tunesmith.tasks.task import Example, Learner, Start, Task, weights

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

    from tunesmith.models.backbone import Backbone
    from tunesmith.tasks.task import Adapt, Loss


class Score:
    """Rows of `text` and `score`: a number from the mean of an encoder or the last token of a decoder."""

    name: ClassVar[str] = "score"
    shape: ClassVar[str] = "scored"
    metrics: ClassVar[tuple[str, ...]] = ("spearman", "pearson", "mae")
    baselines: ClassVar[tuple[str, ...]] = ("mean_score", "tfidf_ridge")
    losses: ClassVar[tuple[str, ...]] = ("mse", "huber")

    def others(self) -> Sequence[Task]:
        """For preferences."""
        from tunesmith.tasks.reward import Reward

        return (Reward(),)

    def texts(self, frame: pl.DataFrame) -> list[str]:
        """All text of the rows."""
        return frame["text"].to_list()

    def build(self, start: Start, contract: Adapt) -> Learner:
        """An encoder or the body of a decoder with a fresh head; it has no prompt contract."""
        import torch

        from tunesmith.models.scorer import Scorer

        encoder, tokens = encoders.begin(start)
        torch.manual_seed(start.seed)
        mean, spread = start.scale
        module = Scorer(encoder, last=_looks_back(start), mean=mean, spread=spread)
        card = encoders.card(start, encoder, "scorer", self.name)
        return Learner(module=module, backbone=encoder, tokenizer=tokens, card=card)

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """The ends of texts within the context; the number in the units of the data."""
        from tunesmith.models import encoding, scorer

        encoded = encoding.encode(learner.tokenizer, frame["text"].to_list())
        examples: list[Example] = []
        cut: dict[int, int] = {}
        for row, score, weight, item in zip(
            frame["_row"], frame["score"], weights(frame), encoded, strict=True
        ):
            ids, lost = scorer.ending(item, learner.card.context)
            target = np.array([score], dtype=np.float32)
            examples.append(Example(row, np.asarray(ids, dtype=np.int32), target, weight))
            if lost:
                cut[row] = lost
        return examples, cut

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Loss
    ) -> Tensor:
        """The loss in the head's units, summed over the rows by their weights."""
        import torch

        module: Any = learner.module
        found = module.scores(
            backbone.hidden([example.ids for example in examples]), [len(example.ids) for example in examples]
        )
        told = device.tensor(np.concatenate([np.asarray(example.target) for example in examples]))
        weight = torch.tensor([example.weight for example in examples])
        return (loss(found.float(), (told - module.mean) / module.spread) * weight).sum()

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`scores` [rows], in the units of the data."""
        from tunesmith.models.scorer import scores

        module: Any = learner.module
        return {"scores": scores(module, [example.ids for example in examples])}

    def save(self, learner: Learner, folder: Path) -> None:
        """Backbone or adapter, head, tokenizer, card."""
        from tunesmith.tasks.saving import save_backbone

        save_backbone(learner, folder, task_type="FEATURE_EXTRACTION")
        learner.module.save_head(folder)  # type: ignore[operator]


def _looks_back(start: Start) -> bool:
    """Whether only the last token of a text has seen all of it."""
    if isinstance(start.source, Scratch):
        return FAMILIES[start.source.architecture].kind == "decoder"
    if isinstance(start.source, Resolved) and start.source.folder is not None:
        return cards.read(start.source.folder).kind == "language"
    return False
