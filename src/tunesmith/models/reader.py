"""Extractive answers: an encoder reads a question and a text, a linear head says where the answer is.

After Devlin et al. 2019. What is read is `question, separator, text`; a long text is read in windows that
overlap, and its first token stands for no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tunesmith.models import pieced
from tunesmith.models.card import UNANSWERABLE
from tunesmith.models.pieced import Pieced

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tunesmith.models.heads import Headed

_OVERLAP = 128
_LONGEST = 64  # tokens of an answer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """A question with a part of its text: `ids` [tokens], of which [first, last) are those of the text.

    They are the tokens of the text from `start` on.
    """

    ids: NDArray[np.int32]
    first: int
    last: int
    start: int

    @property
    def candidates(self) -> NDArray[np.int64]:
        """The tokens where an answer may begin or end, after the one that stands for none."""
        return np.array([0, *range(self.first, self.last)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a text answers, at its code points [start, end), and how probable; empty where it does not."""

    text: str
    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReader:
    """A model that answers questions with what stands in a text, ready for use."""

    name: str
    module: Headed
    tokenizer: Tokenizer
    labels: tuple[str, ...]
    context: int
    digest: str = ""
    kind: str = field(default="reader", init=False)

    def answer(self, questions: Sequence[str], texts: Sequence[str]) -> list[Answer]:
        """The answer to each question from the text beside it."""
        asked, read = encode(self.tokenizer, questions), encode(self.tokenizer, texts)
        rows = [
            list(windows(self.tokenizer, question, text, self.context))
            for question, text in zip(asked, read, strict=True)
        ]
        from tunesmith.models.token_logits import token_logits

        logits = iter(token_logits(self.module, [window.ids for row in rows for window in row]))
        return [
            self._best(text, encoded, [(window, next(logits)) for window in row])
            for text, encoded, row in zip(texts, read, rows, strict=True)
        ]

    def _best(self, text: str, encoded: Pieced, row: Sequence[tuple[Window, NDArray[np.float32]]]) -> Answer:
        """The most probable answer of all windows, or none where none is more probable in each."""
        from scipy import special

        best, place, nothing = -np.inf, (0, 0), np.inf
        for window, logits in row:
            begins, ends = special.log_softmax(logits[window.candidates], axis=0).T
            nothing = min(nothing, float(begins[0] + ends[0]))
            score, start, end = _span(begins[1:], ends[1:])
            if score > best:
                best, place = score, (window.start + start, window.start + end)
        if best == -np.inf or (UNANSWERABLE in self.labels and nothing > best):
            return Answer(text="", start=0, end=0, probability=min(1.0, float(np.exp(nothing))))
        start, end = encoded.units[encoded.of[place[0]]][0], encoded.units[encoded.of[place[1]]][1]
        return Answer(text=text[start:end], start=start, end=end, probability=min(1.0, float(np.exp(best))))


def _span(begins: NDArray[np.float32], ends: NDArray[np.float32]) -> tuple[float, int, int]:
    """The best score of a beginning and an end that is not before it nor too far after it, and both."""
    if not len(begins):
        return -np.inf, 0, 0
    scores = begins[:, None] + ends[None, :]
    allowed = np.triu(np.ones_like(scores, dtype=bool)) & ~np.triu(np.ones_like(scores, dtype=bool), _LONGEST)
    at = int(np.where(allowed, scores, -np.inf).argmax())
    start, end = divmod(at, len(ends))
    return float(scores[start, end]), start, end


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Pieced]:
    """Texts as tokens, of which many may be the same: each is encoded once."""
    different = list(dict.fromkeys(texts))
    known = dict(zip(different, pieced.encode(tokenizer, different), strict=True))
    return [known[text] for text in texts]


def windows(tokenizer: Tokenizer, question: Pieced, text: Pieced, context: int) -> Iterator[Window]:
    """A question, at most a third of `context` tokens, with each part of its text, together at most all."""
    before, after = pieced.frame(tokenizer)
    asked = [*before, *question.ids[: context // 3], *(after or before)]
    room = context - len(asked) - len(after)
    parts = list(pieced.windows(text, room, min(_OVERLAP, room // 2))) or [(0, 0)]
    for start, end in parts:
        ids = np.array([*asked, *text.ids[start:end], *after], dtype=np.int32)
        yield Window(ids=ids, first=len(asked), last=len(asked) + end - start, start=start)
