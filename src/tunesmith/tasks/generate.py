"""Language modelling: the model learns to say every token of each text, and where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tunesmith.tasks.language import LanguageTask
from tunesmith.tasks.task import Example, Learner, weights

if TYPE_CHECKING:
    import polars as pl


class Generate(LanguageTask):
    """Rows of `text`; texts longer than the context are continued in a further example, nothing is cut."""

    name: ClassVar[str] = "generate"
    shape: ClassVar[str] = "text"

    def texts(self, frame: pl.DataFrame) -> list[str]:
        """All text of the rows."""
        return frame["text"].to_list()

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Each text, framed and ended, in pieces of at most the context.

        A piece begins with the last token of the one before it: so each token is predicted once.
        """
        from tunesmith.models.language import prompt_ids

        end = _end_id(learner)
        size = learner.card.context
        examples: list[Example] = []
        for row, text, weight in zip(frame["_row"], frame["text"], weights(frame), strict=True):
            ids = np.asarray([*prompt_ids(learner.tokenizer, text), *end], dtype=np.int32)
            for start in range(0, len(ids) - 1, size - 1):
                piece = ids[start : start + size]
                examples.append(Example(row, piece, np.ones(len(piece), dtype=np.bool_), weight))
        return examples, {}


def _end_id(learner: Learner) -> list[int]:
    contract = learner.contract
    found = learner.tokenizer.token_to_id(contract.eos) if contract and contract.eos else None
    return [] if found is None else [found]
