"""One text from another: an encoder-decoder rewrites the source, a decoder answers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tunesmith.core.recipe import Scratch
from tunesmith.models import card
from tunesmith.models.families import FAMILIES
from tunesmith.tasks.answering import Answering
from tunesmith.tasks.rewriting import Rewriting
from tunesmith.tasks.task import Example, Learner, Start

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

    from tunesmith.models.backbone import Backbone
    from tunesmith.tasks.task import Adapt, Loss


class Paired:
    """Rows of `source` and `target`; loss on every token of the target and its end."""

    name: ClassVar[str]
    shape: ClassVar[str] = "paired"
    losses: ClassVar[tuple[str, ...]] = ("cross_entropy",)

    def texts(self, frame: pl.DataFrame) -> list[str]:
        """All text of the rows: both sides share one vocabulary."""
        return [*frame["source"].to_list(), *frame["target"].to_list()]

    def build(self, start: Start, contract: Adapt) -> Learner:
        """An encoder-decoder, which has no prompt contract, or a decoder with its own."""
        way = Rewriting() if _is_encoder_decoder(start) else Answering()
        learner = way.build(start, contract)
        return replace(learner, card=replace(learner.card, task=self.name))

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Both sides as the model reads them, each or together cut to the context."""
        return _way(learner).encode(frame, learner)

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Loss
    ) -> Tensor:
        """The loss of every token of the targets, summed over them by the weights of their rows."""
        return _way(learner).objective(learner, backbone, examples, loss)

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`texts`: what the model writes for each source, the most probable token each time."""
        return _way(learner).measure(learner, examples)

    def save(self, learner: Learner, folder: Path) -> None:
        """Weights or adapter, tokenizer, card, and a decoder's contract."""
        _way(learner).save(learner, folder)


def _way(learner: Learner) -> Rewriting | Answering:
    return Rewriting() if learner.card.kind == "encoder_decoder" else Answering()


def _is_encoder_decoder(start: Start) -> bool:
    source = start.source
    if isinstance(source, Scratch):
        return FAMILIES[source.architecture].kind == "encoder_decoder"
    folder = getattr(source, "folder", None)
    return folder is not None and card.read(Path(folder)).kind == "encoder_decoder"
