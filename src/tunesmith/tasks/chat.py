"""Conversations: the model learns to say the assistant's turns, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tunesmith.core.errors import ModelError
from tunesmith.models import turns
from tunesmith.tasks.language import LanguageTask
from tunesmith.tasks.task import Example, Learner, weights

if TYPE_CHECKING:
    import polars as pl


class Chat(LanguageTask):
    """Rows of `messages` and `tools`; loss on what the assistant says and calls, and the stop after it."""

    name: ClassVar[str] = "chat"
    shape: ClassVar[str] = "messages"

    def texts(self, frame: pl.DataFrame) -> list[str]:
        """The text of every message, with the calls and the definitions of tools."""
        return [text for messages, tools in talks(frame) for text in turns.words(messages, tools)]

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Conversations rendered by the prompt contract, cut to the context.

        A conversation whose template writes earlier answers anew is several examples (see the contract).
        """
        return encode_talks(zip(frame["_row"], weights(frame), talks(frame), strict=True), learner)


def encode_talks(
    rows: Iterable[tuple[int, float, tuple[list[turns.Message], str | None]]], learner: Learner
) -> tuple[list[Example], dict[int, int]]:
    """Examples of rows, each its number, its weight, and its messages and tools; and what was cut.

    Raises:
        ModelError: M11 when the learner has no prompt contract.
    """
    contract = learner.contract
    if contract is None:
        raise ModelError("M11", file="contract.json", reason="missing")
    examples: list[Example] = []
    cut: dict[int, int] = {}
    for row, weight, (messages, tools) in rows:
        for ids, learned in contract.encode_training(learner.tokenizer, messages, tools):
            size = min(len(ids), learner.card.context)
            if size < len(ids):
                cut[row] = cut.get(row, 0) + len(ids) - size
            kept = np.asarray(ids[:size], dtype=np.int32)
            examples.append(Example(row, kept, np.asarray(learned[:size], dtype=np.bool_), weight))
    return examples, cut


def talks(frame: pl.DataFrame) -> Iterator[tuple[list[turns.Message], str | None]]:
    """The messages and the tools of each row."""
    yield from zip(frame["messages"].to_list(), frame["tools"].to_list(), strict=True)
