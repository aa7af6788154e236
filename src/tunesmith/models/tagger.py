"""Token classification: an encoder and a linear head that gives each unit of a text a BIO tag.

A unit is what `language.units` cuts; its first token is what is asked (Devlin et al. 2019).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tunesmith.models import bio, pieced
from tunesmith.models.pieced import Pieced

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tunesmith.models.heads import Headed


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """What is named at the code points [start, end) of a text, and how probable its least sure tag is."""

    start: int
    end: int
    label: str
    text: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTagger:
    """A tagger ready for use; longer texts than `context` tokens are read in parts."""

    name: str
    module: Headed
    tokenizer: Tokenizer
    labels: tuple[str, ...]
    context: int
    digest: str = ""
    kind: str = field(default="tagger", init=False)

    def tag(self, texts: str | Sequence[str]) -> list[list[Entity]]:
        """The entities of each text, in their order."""
        given = [texts] if isinstance(texts, str) else texts
        encoded = pieced.encode(self.tokenizer, given)
        scores = self._scores(encoded)
        return [
            list(self._entities(text, row, found))
            for text, row, found in zip(given, encoded, scores, strict=True)
        ]

    def _scores(self, encoded: Sequence[Pieced]) -> Iterator[NDArray[np.float32]]:
        """Log-probabilities [asked units, tags] of each text."""
        from scipy import special

        from tunesmith.models.token_logits import token_logits

        before, after = pieced.frame(self.tokenizer)
        room = self.context - len(before) - len(after)
        windows = [(row, *window) for row in encoded for window in pieced.windows(row, room)]
        rows = [np.array([*before, *row.ids[start:end], *after]) for row, start, end in windows]
        found = iter(token_logits(self.module, rows))
        for row in encoded:
            inner = [
                next(found)[len(before) : len(before) + end - start]
                for start, end in pieced.windows(row, room)
            ]
            none = np.empty((0, bio.count(self.labels)), dtype=np.float32)
            yield special.log_softmax(np.concatenate([none, *inner])[row.first], axis=-1)

    def _entities(self, text: str, row: Pieced, scores: NDArray[np.float32]) -> Iterator[Entity]:
        asked = row.of[row.first]
        tags = bio.best(scores)
        for first, last, label in bio.runs(tags):
            start, end = row.units[asked[first]][0], row.units[asked[last - 1]][1]
            least = min(scores[at, tags[at]] for at in range(first, last))
            yield Entity(
                start=start,
                end=end,
                label=self.labels[label],
                text=text[start:end],
                probability=min(1.0, float(np.exp(least))),
            )
