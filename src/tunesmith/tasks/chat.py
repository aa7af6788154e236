"""Conversations: the model learns to say the assistant's turns, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tunesmith.core.errors import ModelError
from tunesmith.tasks.language import LanguageTask
from tunesmith.tasks.task import Example, Learner

if TYPE_CHECKING:
    import polars as pl


class Chat(LanguageTask):
    """Rows of `messages`; loss on the assistant's tokens and the stop token after each of them."""

    name: ClassVar[str] = "chat"
    shape: ClassVar[str] = "messages"

    def texts(self, frame: pl.DataFrame) -> list[str]:
        """The text of every message."""
        return [m["content"] for messages in frame["messages"].to_list() for m in messages]

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Conversations rendered by the prompt contract, cut to the context."""
        contract = learner.contract
        if contract is None:
            raise ModelError("M11", file="contract.json", reason="missing")
        examples: list[Example] = []
        cut: dict[int, int] = {}
        for row, messages in zip(frame["_row"], frame["messages"].to_list(), strict=True):
            ids, learned = contract.encode_training(learner.tokenizer, messages)
            lost = max(0, len(ids) - learner.card.context)
            if lost:
                cut[row] = lost
            size = len(ids) - lost
            examples.append(Example(row, np.asarray(ids[:size], dtype=np.int32), np.asarray(learned[:size])))
        return examples, cut
