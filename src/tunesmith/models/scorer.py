"""A number for a text: an encoder or decoder, one vector of its hidden states, a linear head.

The head works in units in which the numbers of the training part have mean 0 and spread 1; what comes out is
in the units of the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tunesmith.models.classifier import Row, batches_by_length, means, pad
from tunesmith.models.encoding import Encoded, encode
from tunesmith.models.heads import Headed

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_TOKENS_AT_ONCE = 8192


class Scorer(Headed):
    """One number from the mean of the hidden states, or from the `last` of a model that looks back only."""

    def __init__(
        self, encoder: nn.Module, *, last: bool = False, mean: float = 0.0, spread: float = 1.0
    ) -> None:
        super().__init__(encoder, 1, dropout=0.0)
        # Kept with the head: [last, mean, spread].
        self.head.register_buffer("units", torch.tensor([float(last), mean, spread]))

    @property
    def units(self) -> Tensor:
        """Whether the last state is read, the mean and the spread of the numbers: [3]."""
        found: Tensor = self.head.units  # type: ignore[assignment]
        return found

    @property
    def mean(self) -> float:
        """What 0 stands for in the units of the data."""
        return float(self.units[1])

    @property
    def spread(self) -> float:
        """What 1 stands for, from the mean on."""
        return float(self.units[2])

    def pooled(self, hidden: Tensor, lengths: Sequence[int]) -> Tensor:
        """Hidden states [tokens of all rows, d] -> the vector of each row [rows, d], float32."""
        if not self.units[0]:
            return means(hidden, lengths)
        return hidden[torch.tensor(lengths).cumsum(0) - 1].float()

    def scores(self, hidden: Tensor, lengths: Sequence[int]) -> Tensor:
        """Hidden states [tokens of all rows, d] -> a number for each row [rows], in the head's units."""
        return self.logits(self.pooled(hidden, lengths)).squeeze(-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextScorer:
    """A scorer ready for use: texts in, numbers out."""

    name: str
    module: Scorer
    tokenizer: Tokenizer
    context: int
    task: str | None = "score"
    digest: str = ""
    kind: str = field(default="scorer", init=False)

    def score(self, texts: str | Sequence[str]) -> NDArray[np.float32]:
        """A number for each text [texts], float32. Of longer texts the end is read."""
        given = [texts] if isinstance(texts, str) else texts
        rows = [ending(e, self.context)[0] for e in encode(self.tokenizer, given)] if given else []
        return scores(self.module, rows)

    def judge(self, talks: Sequence[Sequence[Mapping[str, Any]]]) -> NDArray[np.float32]:
        """The reward of each conversation, its messages as `role` and `content`."""
        return self.score([written(messages) for messages in talks])


def scores(module: Scorer, rows: Sequence[Row]) -> NDArray[np.float32]:
    """A number for each row of token ids [rows], in the units of the data."""
    found = np.zeros(len(rows), dtype=np.float32)
    module.eval()
    with torch.inference_mode():
        for batch in batches_by_length([len(row) for row in rows], _TOKENS_AT_ONCE):
            ids, mask = pad([rows[i] for i in batch])
            hidden = module.encoder(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()]
            raw = module.scores(hidden, [len(rows[i]) for i in batch])
            found[batch] = (raw * module.spread + module.mean).float().cpu().numpy()
    return found


def ending(encoded: Encoded, length: int) -> tuple[list[int], int]:
    """At most `length` ids, the first and the last: an answer stands at the end. And how many were cut."""
    cut = max(0, len(encoded.ids) - length)
    return (encoded.ids[:1] + encoded.ids[1 + cut :], cut) if cut else (encoded.ids, 0)


def written(messages: Sequence[Mapping[str, Any]]) -> str:
    """A conversation as a text: a line that begins with the role for each message."""
    return "\n".join(f"{message['role']}: {message['content'] or ''}" for message in messages)
