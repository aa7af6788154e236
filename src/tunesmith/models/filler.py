"""A masked language model ready for use: what may stand in the place of a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from tunesmith.models import masked, masking
from tunesmith.models.classifier import batches_by_length, pad
from tunesmith.models.encoding import encode, truncate

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_TOKENS_AT_ONCE = 8192
_BEGINS = ("Ġ", "▁")
"""What stands before a word in the tokens of byte-level and of SentencePiece vocabularies."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A token as text, how probable it is, and whether it begins a word: not a later part of one."""

    text: str
    probability: float
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFiller:
    """An encoder with its head: texts with masks in, the likeliest tokens out."""

    name: str
    module: nn.Module
    tokenizer: Tokenizer
    context: int
    task: str | None = "mask"
    digest: str = ""
    kind: str = field(default="masked", init=False)

    def fill(self, texts: str | Sequence[str], *, top: int = 4) -> list[list[list[Guess]]]:
        """For each mask of each text the `top` likeliest tokens, the likeliest first.

        A mask is written `[MASK]` or `<mask>`. Longer texts are cut to the context, and masks with them.
        """
        given = [texts] if isinstance(texts, str) else texts
        asked = [masking.written(text, self.tokenizer) for text in given]
        rows = [truncate(e, self.context)[0] for e in encode(self.tokenizer, asked)] if asked else []
        found: list[list[list[Guess]]] = [[] for _ in rows]
        for batch in batches_by_length([len(row) for row in rows], _TOKENS_AT_ONCE):
            for i, guesses in zip(batch, self._guesses([rows[i] for i in batch], top), strict=True):
                found[i] = guesses
        return found

    def filled(self, text: str) -> str:
        """The text with the likeliest token in the place of each mask."""
        shown, own = masking.written(text, self.tokenizer), masking.token(self.tokenizer)
        for guesses in self.fill(text, top=1)[0]:
            shown = shown.replace(own, guesses[0].text, 1)
        return shown

    @torch.inference_mode()
    def _guesses(self, rows: Sequence[Sequence[int]], top: int) -> list[list[list[Guess]]]:
        module: Any = self.module
        ids, mask = pad(rows)
        row, place = (ids == masking.of(self.tokenizer).mask).nonzero(as_tuple=True)
        hidden = module.base_model(input_ids=ids, attention_mask=mask).last_hidden_state[row, place]
        best = masked.head(module).project(hidden).float().softmax(-1).topk(top)
        found: list[list[list[Guess]]] = [[] for _ in rows]
        for i, tokens, shares in zip(row.tolist(), best.indices.tolist(), best.values.tolist(), strict=True):
            found[i].append([self._guess(one, share) for one, share in zip(tokens, shares, strict=True)])
        return found

    def _guess(self, token: int, share: float) -> Guess:
        name = self.tokenizer.id_to_token(token) or ""
        says_nothing = _marks_beginnings(self.tokenizer) and not name.startswith(_BEGINS)
        is_part = name.startswith("##") or says_nothing
        return Guess(self.tokenizer.decode([token]).strip(), share, not is_part)


@lru_cache(maxsize=2)
def _marks_beginnings(tokenizer: Tokenizer) -> bool:
    """Whether tokens that begin a word say so, and not those that go on with one."""
    return any(name.startswith(_BEGINS) for name in tokenizer.get_vocab())
