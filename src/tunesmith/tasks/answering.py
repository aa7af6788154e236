"""A decoder that writes one text for another: the source is the question, the target the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunesmith.core.errors import ModelError
from tunesmith.models import turns
from tunesmith.tasks.chat import encode_talks
from tunesmith.tasks.language import LanguageTask
from tunesmith.tasks.task import Example, Learner, weights

if TYPE_CHECKING:
    import polars as pl

    from tunesmith.models.contract import PromptContract


class Answering(LanguageTask):
    """Rows of `source` and `target` as conversations of one question, told by what is written."""

    name: ClassVar[str] = "chat"

    def encode(self, frame: pl.DataFrame, learner: Learner) -> tuple[list[Example], dict[int, int]]:
        """Each row as a conversation, rendered by the prompt contract and cut to the context."""
        pairs = zip(frame["source"], frame["target"], strict=True)
        talks = (([_said("user", source), _said("assistant", target)], None) for source, target in pairs)
        return encode_talks(zip(frame["_row"], weights(frame), talks, strict=True), learner)

    def measure(self, learner: Learner, examples: Sequence[Example]) -> Mapping[str, Any]:
        """`texts`: what the model answers to each source, the most probable token each time."""
        from tunesmith.models.continuing import continue_all

        contract = learner.contract
        if contract is None:
            raise ModelError("M11", file="contract.json", reason="missing")
        written = continue_all(
            learner.module,
            [_asked(example) for example in examples],
            longest=contract.generation.max_new_tokens,
            context=learner.card.context,
            stop_ids=contract.stop_ids,
        )
        texts = learner.tokenizer.decode_batch(written)
        return {"texts": [_until_stop(text, contract, learner) for text in texts]}


def _said(role: str, content: str) -> turns.Message:
    return {"role": role, "content": content, "tool_calls": None}


def _asked(example: Example) -> list[int]:
    """The ids before what is learned: those of the question, up to where the answer begins."""
    learned = np.asarray(example.target)
    end = int(learned.argmax()) if learned.any() else len(learned)
    ids: list[int] = example.ids[:end].tolist()
    return ids


def _until_stop(text: str, contract: PromptContract, learner: Learner) -> str:
    for stop in contract.text_stops(learner.tokenizer):
        text = text.partition(stop)[0]
    return text.strip()
