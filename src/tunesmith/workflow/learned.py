"""The first rows as the model sees them: which of their tokens it learns to say, and which it only reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tunesmith.tasks.task import Example, Learner

_ROWS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Tokens next to each other that are all learned or all only read; a label has no tokens."""

    text: str
    learned: bool
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One example; `row` is its number in the ledger."""

    row: int
    pieces: tuple[Piece, ...]

    def as_dict(self) -> dict[str, Any]:
        """The form of `check --json`."""
        return {"row": self.row, "pieces": [asdict(piece) for piece in self.pieces]}


def rows(learner: Learner, examples: Sequence[Example]) -> list[Shown]:
    """The first examples, in pieces."""
    return [Shown(row=one.row, pieces=tuple(_pieces(learner, one))) for one in examples[:_ROWS]]


def _pieces(learner: Learner, example: Example) -> Iterator[Piece]:
    ids = [int(token) for token in example.ids]
    if isinstance(example.target, int):
        yield Piece(text=learner.tokenizer.decode(ids), learned=False, ids=tuple(ids))
        yield Piece(text=learner.card.labels[example.target], learned=True)
        return
    edges = [0, *(np.flatnonzero(np.diff(example.learned.astype(np.int8))) + 1).tolist(), len(ids)]
    before = ""
    for start, end in pairwise(edges):
        # Decoded from the beginning: some tokenizers take off the space before a piece by itself.
        text = learner.tokenizer.decode(ids[:end], skip_special_tokens=False)
        yield Piece(text=text[len(before) :], learned=bool(example.learned[start]), ids=tuple(ids[start:end]))
        before = text
