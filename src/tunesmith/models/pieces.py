"""From the pieces of a text to token ids: each is encoded by itself, so its ids depend on nothing after it.

Tokenizers of the SentencePiece kind put a mark before the text they are given. A piece in the middle has
none: it is encoded after the piece before it, and that one's tokens are taken off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Text whose pieces every tokenizer keeps apart, unless it marks where its text begins.
_BEFORE, _AFTER = "a\n", "b"


def encode(tokenizer: Tokenizer, pieces: Iterable[tuple[str, int]]) -> tuple[list[int], list[bool]]:
    """The ids of a text given in pieces, and which are learned: those that begin in a learned character."""
    ids: list[int] = []
    learned: list[bool] = []
    before = "" if _marks_beginnings(tokenizer) else None
    for text, size in pieces:
        for token, start in _after(tokenizer, before or "", text):
            ids.append(token)
            learned.append(start < size)
        before = text if before is not None else None
    return ids, learned


def _after(tokenizer: Tokenizer, before: str, text: str) -> Iterator[tuple[int, int]]:
    """The tokens of a text that stands after another, each with the character where it begins."""
    encoding = tokenizer.encode(before + text, add_special_tokens=False)
    head = tokenizer.encode(before, add_special_tokens=False).ids if before else []
    if encoding.ids[: len(head)] != head:  # the two run into each other
        encoding, head, before = tokenizer.encode(text, add_special_tokens=False), [], ""
    for token, (start, _) in zip(encoding.ids[len(head) :], encoding.offsets[len(head) :], strict=True):
        yield token, start - len(before)


def _marks_beginnings(tokenizer: Tokenizer) -> bool:
    """Whether a tokenizer encodes text in another way because nothing stands before it."""
    parts = [tokenizer.encode(text, add_special_tokens=False).ids for text in (_BEFORE, _AFTER)]
    whole = tokenizer.encode(_BEFORE + _AFTER, add_special_tokens=False).ids
    return whole != parts[0] + parts[1]
