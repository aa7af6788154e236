"""Text embeddings: the mean over an encoder's hidden states, as a vector of length 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tunesmith.models import packed
from tunesmith.models.classifier import Row, batches_by_length, means, pad
from tunesmith.models.encoding import encode, truncate

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_TOKENS_AT_ONCE = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEmbedder:
    """An encoder ready for use: texts in, vectors out. Similar texts have a large dot product, at most 1."""

    name: str
    module: nn.Module
    tokenizer: Tokenizer
    context: int
    task: str | None = "embed"
    digest: str = ""
    kind: str = field(default="embedder", init=False)

    @property
    def width(self) -> int:
        """The numbers of a vector."""
        return int(self.module.config.hidden_size)  # type: ignore[union-attr, arg-type]

    def embed(self, texts: str | Sequence[str]) -> NDArray[np.float32]:
        """Vectors [texts, width] of length 1, float32. Longer texts are cut to the context."""
        given = [texts] if isinstance(texts, str) else texts
        return self.embed_ids(self.encode(given))

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids that are read of each text, as the tokenizer frames it."""
        return [truncate(e, self.context)[0] for e in encode(self.tokenizer, texts)] if texts else []

    def embed_ids(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Vectors [rows, width] of length 1, float32, of texts that `encode` has read."""
        return vectors(self.module, rows, self.width)


def vectors(encoder: nn.Module, rows: Sequence[Row], width: int) -> NDArray[np.float32]:
    """Vectors [rows, width] of token ids, computed in batches of similar length."""
    found = np.zeros((len(rows), width), dtype=np.float32)
    encoder.eval()
    with torch.inference_mode():
        for batch in batches_by_length([len(row) for row in rows], _TOKENS_AT_ONCE):
            found[batch] = unit(_means(encoder, [rows[i] for i in batch])).float().cpu().numpy()
    return found


def _means(encoder: nn.Module, rows: Sequence[Row]) -> Tensor:
    """The mean hidden state of each row [rows, width], without padding where the encoder allows it."""
    if packed.covers(encoder):
        return means(packed.hidden(encoder, rows), [len(row) for row in rows])
    ids, mask = pad(rows)
    hidden = encoder(input_ids=ids, attention_mask=mask).last_hidden_state  # [rows, length, width]
    weight = mask.to(hidden.dtype)[..., None]
    mean: Tensor = (hidden * weight).sum(1) / weight.sum(1)
    return mean


def unit(mean: Tensor) -> Tensor:
    """Vectors [rows, width] brought to length 1."""
    return nn.functional.normalize(mean, dim=-1)
