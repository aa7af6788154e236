"""Answers that do not stand where they should: in their context, at the place that is named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from tunesmith.data.hygiene.issue import Issue

# The end of a sentence with more after it. Behind a Latin full stop a space and a capital must follow, and
# before it no digit, single letter or short title: `12. Mai`, `J. K. Rowling` and `Dr. Who` are one sentence.
_SENTENCE_END = re.compile(
    r"[。！？；]['”’」』）]*(?=\S)|(?<!\d)(?<!\b\w)(?<!\b[A-Z]\w)[.!?][\"')\]]*\s+(?=[A-ZÀ-Þ])"
)
_LONG = 0.3


def wrong_answers(frame: pl.DataFrame) -> list[Issue]:
    """Issues of a frame in the shape `answered`, with `_row` numbers.

    `answer_empty`: nothing but spaces. `answer_absent`: the context does not contain it; where it does but
    for case or spaces, that is suggested. `answer_misplaced`: it stands elsewhere than at `start`; the
    nearest place is suggested. `answer_long`: more than one sentence, which few questions ask for. What
    several annotators answered alike is one issue.
    """
    found: dict[tuple[int, str, str], Issue] = {}
    for row, context, answers in frame.select("_row", "context", "answers").iter_rows():
        for answer in answers or ():
            for issue in _issues(row, context or "", answer):
                found.setdefault((row, issue.kind, issue.given), issue)
    return list(found.values())


def _issues(row: int, context: str, answer: Mapping[str, Any]) -> Iterator[Issue]:
    text, start = answer["text"] or "", answer["start"]
    if not text.strip():
        yield Issue(row=row, kind="answer_empty", score=1.0, given=text)
        return
    yield from _place(row, context, text, start)
    if ends := len(_SENTENCE_END.findall(text.strip())):
        # The more sentences, the surer; but long answers are wanted at times.
        score = 1 - (1 - _LONG) / ends
        yield Issue(row=row, kind="answer_long", score=score, given=text, detail={"sentences": ends + 1})


def _place(row: int, context: str, text: str, start: int | None) -> Iterator[Issue]:
    if text not in context:
        alike = _alike(context, text)
        yield Issue(row=row, kind="answer_absent", score=1.0, given=text, suggested=alike)
    elif start is not None and (start < 0 or not context.startswith(text, start)):
        nearest = min(_places(context, text), key=lambda place: abs(place - start))
        detail: dict[str, str | int] = {"start": start, "found": nearest}
        yield Issue(
            row=row, kind="answer_misplaced", score=0.9, given=text, suggested=str(nearest), detail=detail
        )


def _places(context: str, text: str) -> Iterator[int]:
    at = context.find(text)
    while at >= 0:
        yield at
        at = context.find(text, at + 1)


def _alike(context: str, text: str) -> str | None:
    """What the context says in place of the answer, if only case, spaces and the last sign differ."""
    pieces = r"\s*".join(map(re.escape, "".join(text.split()).rstrip("。.，,；;：:！!？?") or text))
    found = re.search(pieces, context, re.IGNORECASE)
    return found.group() if found else None
