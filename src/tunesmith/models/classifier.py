"""Text classification: an encoder, the mean over its tokens, a linear head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tunesmith.models import device, packed
from tunesmith.models.encoding import encode, truncate
from tunesmith.models.heads import Headed
from tunesmith.models.packed import Row as Row

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tunesmith.models.attention import Attention

_TOKENS_AT_ONCE = 8192


class Classifier(Headed):
    """Logits of each label from the mean of an encoder's last hidden states over the real tokens."""

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """ids, mask: [batch, length] (mask is 1 on real tokens) -> logits [batch, labels]."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state  # [batch, length, d]
        weight = mask.to(hidden.dtype)[..., None]
        return self.logits((hidden * weight).sum(1) / weight.sum(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextClassifier:
    """A classifier ready for use: texts in, probabilities of `labels` out.

    With `several` a text may have any number of them, and each has a probability of its own.
    """

    name: str
    module: Classifier
    tokenizer: Tokenizer
    labels: tuple[str, ...]
    context: int
    several: bool = False
    digest: str = ""
    kind: str = field(default="classifier", init=False)

    def predict(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Probabilities [texts, labels], float32; each row sums to 1 but with `several`.

        Longer texts are cut to the context.
        """
        if not texts:
            return np.empty((0, len(self.labels)), dtype=np.float32)
        rows = [truncate(e, self.context)[0] for e in encode(self.tokenizer, texts)]
        return probabilities(self.module, rows, several=self.several)

    def classify(self, texts: str | Sequence[str]) -> list[str]:
        """The most probable label of each text."""
        given = [texts] if isinstance(texts, str) else texts
        return [self.labels[i] for i in self.predict(given).argmax(-1)]

    def tags(self, texts: str | Sequence[str]) -> list[tuple[str, ...]]:
        """The labels of each text that are likelier than not."""
        given = [texts] if isinstance(texts, str) else texts
        return [tuple(self.labels[i] for i in np.flatnonzero(row >= 0.5)) for row in self.predict(given)]

    def attention(self, text: str) -> Attention:
        """The tokens of `text`, cut to the context, and how much each looks at each.

        The maps are [layers, heads, query, key]; rows sum to 1.

        Raises:
            ModelError: M44 when the model shows no maps.
        """
        from tunesmith.models.attending import encoder_attention

        return encoder_attention(self.module.encoder, self.tokenizer, text, self.context)


def probabilities(module: nn.Module, rows: Sequence[Row], *, several: bool = False) -> NDArray[np.float32]:
    """Probabilities [rows, labels], float32, of token ids, computed in batches of similar length.

    With `several` those of each label by itself, else of one among all.
    """
    parts: dict[int, NDArray[np.float32]] = {}
    module.eval()
    with torch.inference_mode():
        for batch in batches_by_length([len(row) for row in rows], _TOKENS_AT_ONCE):
            logits = _logits(module, [rows[i] for i in batch]).float()
            shares = logits.sigmoid() if several else logits.softmax(-1)
            parts.update(zip(batch, shares.cpu().numpy(), strict=True))
    return np.stack([parts[i] for i in range(len(rows))])


def _logits(module: nn.Module, rows: Sequence[Row]) -> Tensor:
    """Logits [rows, labels], without padding where the encoder allows it."""
    if isinstance(module, Classifier) and packed.covers(module.encoder):
        found = means(packed.hidden(module.encoder, rows), [len(row) for row in rows])
        return module.logits(found.to(module.head.weight.dtype))
    ids, mask = pad(rows)
    logits: Tensor = module(ids, mask)
    return logits


def pad(rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    """Rows padded on the right: ids and mask, both [rows, longest]."""
    longest = max(len(row) for row in rows)
    ids = np.zeros((len(rows), longest), dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return device.tensor(ids), device.tensor(mask)


def means(hidden: Tensor, lengths: Sequence[int]) -> Tensor:
    """The mean hidden state of each row: hidden [tokens of all rows, d] -> [rows, d], float32."""
    counts = torch.tensor(lengths)
    sums = hidden.new_zeros((len(lengths), hidden.shape[-1]), dtype=torch.float32)
    row = torch.arange(len(lengths)).repeat_interleave(counts, output_size=len(hidden))
    return sums.index_add(0, row, hidden.float()) / counts[:, None]


def batches_by_length(lengths: Sequence[int], tokens: int) -> Iterator[list[int]]:
    """Indices grouped by similar length, each group of at most `tokens` tokens with its padding."""
    batch: list[int] = []
    for index in np.argsort(lengths, kind="stable"):
        if batch and (len(batch) + 1) * lengths[index] > tokens:
            yield batch
            batch = []
        batch.append(int(index))
    if batch:
        yield batch
