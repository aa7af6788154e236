"""Texts as token ids that know which unit of the text each belongs to; see `language.units`.

Every unit is encoded by itself, with the space before it: no token reaches over the edge of a unit, so what
is said of units can be said of tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.language.units import units

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Pieced:
    """A text without what frames it: `ids` [tokens], the unit `of` each token, where the `units` stand."""

    ids: NDArray[np.int32]
    of: NDArray[np.int32]
    units: Sequence[Span]

    @property
    def first(self) -> NDArray[np.bool_]:
        """Whether a token is the first of its unit [tokens]."""
        first: NDArray[np.bool_] = np.diff(self.of, prepend=-1) != 0
        return first


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Pieced]:
    """The tokens of each text. A unit that a tokenizer makes nothing of has none."""
    places = [units(text) for text in texts]
    rows: Any = [parts(text, spans) for text, spans in zip(texts, places, strict=True)]
    encodings = tokenizer.encode_batch(rows, is_pretokenized=True, add_special_tokens=False)
    return [
        Pieced(np.array(e.ids, dtype=np.int32), np.array(e.word_ids, dtype=np.int32), spans)
        for e, spans in zip(encodings, places, strict=True)
    ]


def words(texts: Sequence[str]) -> list[str]:
    """The units of all texts, one after the other, as they are encoded: what a tokenizer is trained on."""
    return [part for text in texts for part in parts(text, units(text))]


def parts(text: str, spans: Sequence[Span]) -> list[str]:
    """The units of a text, each with a space before it where white space stands."""
    ends = [0, *(end for _, end in spans)]
    return [
        (" " if start > before else "") + text[start:end]
        for before, (start, end) in zip(ends, spans, strict=False)
    ]


def frame(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """The special tokens that stand before and after a text."""
    encoding = tokenizer.encode("a")
    is_special = encoding.special_tokens_mask
    inner = [i for i, special in enumerate(is_special) if not special]
    if not inner:
        return encoding.ids, []
    return encoding.ids[: inner[0]], encoding.ids[inner[-1] + 1 :]


def windows(pieced: Pieced, room: int, overlap: int = 0) -> Iterator[Span]:
    """Tokens [start, end) of a text in parts of at most `room`, `overlap` of which stand in the part before.

    A unit is cut only if it has more tokens than there is room for.
    """
    starts = np.flatnonzero(pieced.first)
    start, count = 0, len(pieced.ids)
    while start + room < count:
        end = _edge(starts, start, start + room)
        yield start, end
        start = max(_edge(starts, start, end - overlap), start + 1) if overlap else end
    if start < count:
        yield start, count


def _edge(starts: NDArray[np.int64], after: int, at: int) -> int:
    """The last beginning of a unit from `after` (exclusive) to `at`, or `at`."""
    found = int(starts[np.searchsorted(starts, at, side="right") - 1])
    return found if found > after else at
