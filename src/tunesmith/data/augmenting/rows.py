"""Which texts of a row may change, as passages; and the row with them changed.

What a model is to say stays: labels, targets, the assistant's turns, chosen and rejected answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from tunesmith.data.augmenting.augmenter import Made
from tunesmith.data.augmenting.passage import Edited, Passage, Span, dice_of, edited
from tunesmith.data.augmenting.protection import guarded, keeps

Row = dict[str, Any]
Place = tuple[str, int]
"""A column, and which of its messages; -1 of a column that is a text."""
_TEXTS = ("text", "source", "question", "context")
_TALKS = ("messages", "prompt")


def texts_of(row: Row) -> Iterator[tuple[Place, str]]:
    """The texts of a row that may change."""
    for name in _TEXTS:
        if row.get(name):
            yield (name, -1), row[name]
    for name in _TALKS:
        for at, message in enumerate(row.get(name) or ()):
            if message["role"] == "user" and message["content"]:
                yield (name, at), message["content"]


def passages_of(
    row: Row, dice: Random, others: Mapping[str, Sequence[str]], cut: Callable[[str], Sequence[str]]
) -> dict[Place, Passage]:
    """The texts of a row that may change, with what in them may not."""
    made = {}
    for place, text in texts_of(row):
        spans = _spans(row, place[0])
        if spans is not None:
            guards = [*guarded(text), *((span.start, span.end) for span in spans)]
            own = dice_of(dice.getrandbits(64))
            made[place] = Passage(text=text, dice=own, spans=spans, guarded=guards, others=others, cut=cut)
    return made


def _spans(row: Row, column: str) -> list[Span] | None:
    """What is marked in a text; None where an answer stands elsewhere than it says: that text stays."""
    if column == "text":
        return [Span(one["start"], one["end"], one["label"]) for one in row.get("spans") or ()]
    found = []
    for answer in (row.get("answers") or ()) if column == "context" else ():
        start = answer["start"]
        if start is None or not row["context"].startswith(answer["text"], start):
            return None
        found.append(Span(start, start + len(answer["text"])))
    return found


def changed(row: Row, passages: Mapping[Place, Passage], made: Mapping[Place, Made]) -> Row | None:
    """A row with what an augmenter made of its texts; None when nothing may be changed."""
    done = {
        place: found
        for place, passage in passages.items()
        if place in made and (found := _done(passage, made[place])) is not None
    }
    if not done:
        return None
    row = {**row, **{name: [dict(turn) for turn in row[name]] for name, at in done if at >= 0}}
    for (name, at), found in done.items():
        if at >= 0:
            row[name][at]["content"] = found.text
        else:
            row = {**row, name: found.text, **_marked(row, name, found)}
    return row


def _done(passage: Passage, made: Made) -> Edited | None:
    return _rewritten(passage, made) if isinstance(made, str) else edited(passage, made)


def _rewritten(passage: Passage, text: str) -> Edited | None:
    """A text written anew, if all that is marked stands in it as often and in the same order as before."""
    text = text.strip()
    if not text or text == passage.text.strip() or not keeps(passage.text, text):
        return None
    spans, at = [], 0
    for span in sorted(passage.spans, key=lambda one: (one.start, one.end)):
        surface = passage.text[span.start : span.end]
        start = text.find(surface, at)
        if start < 0 or text.count(surface) != passage.text.count(surface):
            return None
        spans.append(Span(start, start + len(surface), span.label))
        at = start + len(surface)
    return Edited(text=text, spans=tuple(spans))


def _marked(row: Row, column: str, found: Edited) -> Row:
    """The columns that point into a text. The tokens of a text are not known any more."""
    if column == "text" and row.get("spans") is not None:
        spans = [{"start": one.start, "end": one.end, "label": one.label} for one in found.spans]
        return {"spans": spans, "tokens": None}
    if column == "context":
        pairs = zip(row["answers"] or (), found.spans, strict=True)
        return {"answers": [{**answer, "start": span.start} for answer, span in pairs]}
    return {}
