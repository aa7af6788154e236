"""Extractive question answering: where in a text the answer to a question stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tunesmith.models import device
from tunesmith.tasks import encoders
from tunesmith.tasks.task import Example, Learner, Start, weights

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor

    from tunesmith.models.backbone import Backbone
    from tunesmith.models.pieced import Pieced
    from tunesmith.tasks.task import Adapt, Loss


class Answer:
    """Rows of `question`, `context` and `answers`, of which the first is learned; exact match and F1.

    A long text is several examples; those without the answer learn that it is not there. The numbers of an
    example are the first token of the text, the one after its last, and those where the answer begins and
    ends, both 0 where there is none.
    """

    name: ClassVar[str] = "answer"
    shape: ClassVar[str] = "answered"
    metrics: ClassVar[tuple[str, ...]] = ("answer_f1", "exact_match")
    baselines: ClassVar[tuple[str, ...]] = ("nearest_sentence",)
    losses: ClassVar[tuple[str, ...]] = ("cross_entropy",)

    def texts(self, frame: pl.DataFrame) -> list[str]:
        """All text of the rows; a text that is asked about more than once is there once."""
        return [*frame["question"], *frame["context"].unique(maintain_order=True)]

    def build(self, start: Start, contract: Adapt) -> Learner:
        """An encoder with a fresh head for the two ends of an answer; a tokenizer made here learns units."""
        import torch

        from tunesmith.models import pieced
        from tunesmith.models.heads import Headed

        encoder, tokens = encoders.begin(replace(start, texts=pieced.words(start.texts)))
        torch.manual_seed(start.seed)
        card = encoders.card(start, encoder, "reader", self.name)
        return Learner(module=Headed(encoder, 2), backbone=encoder, tokenizer=tokens, card=card)

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Questions with each part of their texts, and where in it the answer stands."""
        from tunesmith.models import reader

        sides = (reader.encode(learner.tokenizer, frame[side].to_list()) for side in ("question", "context"))
        rows = zip(frame["_row"], frame["answers"].to_list(), weights(frame), *sides, strict=True)
        examples: list[Example] = []
        for row, answers, weight, question, text in rows:
            placed = next((answer for answer in answers if answer["start"] >= 0), None)
            place = _place(text, placed) if placed else None
            for window in reader.windows(learner.tokenizer, question, text, learner.card.context):
                at = (0, 0)
                if place is not None:
                    start, end = (window.first + token - window.start for token in place)
                    at = (start, end) if window.first <= start and end < window.last else (0, 0)
                target = np.array([window.first, window.last, *at], dtype=np.float32)
                examples.append(Example(row, window.ids, target, weight))
        return examples, {}

    def objective(
        self, learner: Learner, backbone: Backbone, examples: Sequence[Example], loss: Loss
    ) -> Tensor:
        """The mean loss of both ends among the tokens of the text and none, summed by the weights of rows."""
        import torch

        numbers = [np.asarray(example.target, dtype=np.int64) for example in examples]
        places, start = [], 0
        for example, (first, last, *_) in zip(examples, numbers, strict=True):
            places.append(start + np.array([0, *range(first, last)]))
            start += len(example.ids)
        hidden = backbone.hidden([e.ids for e in examples], device.tensor(np.concatenate(places)))
        logits = learner.module.logits(hidden).float()  # type: ignore[operator]
        parts = torch.split(logits, [len(place) for place in places])
        losses = [
            loss(part.T, _candidates(first, ends)).mean() * example.weight
            for example, part, (first, _, *ends) in zip(examples, parts, numbers, strict=True)
        ]
        return torch.stack(losses).sum()

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`model`: what answers questions about texts."""
        from tunesmith.models.reader import TextReader

        model = TextReader(
            name=self.name,
            module=learner.module,  # type: ignore[arg-type]
            tokenizer=learner.tokenizer,
            labels=learner.card.labels,
            context=learner.card.context,
        )
        return {"model": model}

    def save(self, learner: Learner, folder: Path) -> None:
        """Backbone or adapter, head, tokenizer, card."""
        from tunesmith.tasks.saving import save_backbone

        save_backbone(learner, folder, task_type="QUESTION_ANS")
        learner.module.save_head(folder)  # type: ignore[operator]


def _candidates(first: int, ends: Sequence[int]) -> Tensor:
    """Both ends as numbers among none and the tokens of the text."""
    import torch

    return torch.tensor([int(end) - int(first) + 1 if end else 0 for end in ends])


def _place(text: Pieced, answer: Mapping[str, Any]) -> tuple[int, int] | None:
    """The first and last token of an answer, whose edges may lie inside of units."""
    start, end = answer["start"], answer["start"] + len(answer["text"])
    held = [at for at, (first, last) in enumerate(text.units) if first < end and last > start]
    tokens: NDArray[np.intp] = np.flatnonzero(np.isin(text.of, held))
    return (int(tokens[0]), int(tokens[-1])) if len(tokens) else None
