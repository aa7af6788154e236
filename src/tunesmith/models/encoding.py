"""Texts as token ids in the frame of their tokenizer, cut to a length. No tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of one text, and whether the last of them only frames it."""

    ids: list[int]
    framed: bool


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Encoded]:
    """Token ids with the tokenizer's own special tokens."""
    encodings = tokenizer.encode_batch_fast(list(texts))
    return [Encoded(e.ids, bool(e.special_tokens_mask and e.special_tokens_mask[-1])) for e in encodings]


def truncate(encoded: Encoded, length: int) -> tuple[list[int], int]:
    """At most `length` ids, the framing last token kept; and how many were cut off."""
    cut = max(0, len(encoded.ids) - length)
    if not cut:
        return encoded.ids, 0
    tail = encoded.ids[-1:] if encoded.framed else []
    return encoded.ids[: length - len(tail)] + tail, cut
