"""Other words for the same thing: entities, values of slots, and sentences around a text."""

from __future__ import annotations

import re
from typing import Annotated

from annotated_types import Gt, Le

from tunesmith.data.augmenters.tables import Rate, groups, lines_of, needed
from tunesmith.data.augmenting.passage import Edit, Passage, chosen

_TEXT = "{text}"
_ALNUM = re.compile(r"[0-9A-Za-z]")


def entities(passage: Passage, *, rate: Annotated[float, Gt(0), Le(1)] = 0.5) -> list[Edit]:
    """A share of the entities becomes another one of the training part with the same label."""
    known = [span for span in passage.spans if len(passage.others.get(span.label, ())) > 1]
    edits = []
    for i in chosen(passage.dice, range(len(known)), rate):
        span = known[i]
        others = [one for one in passage.others[span.label] if one != passage.text[span.start : span.end]]
        edits.append(Edit(span.start, span.end, passage.dice.choice(others), whole=True))
    return edits


def slots(passage: Passage, *, file: str | None = None, rate: Rate = 1) -> list[Edit]:
    """Values of slots become other values of the same slot.

    `file` has a slot on each line: its name, a colon, and its values divided by commas.
    """
    table = groups(lines_of(needed(file, "slots", "file")))
    found = [
        (start, end, others)
        for value, others in table.items()
        if others
        for start, end in _places(passage.text, value)
    ]
    # The longest value at a place is meant: `New York City` and not `New York`.
    found.sort(key=lambda one: (one[0], -one[1]))
    free = [one for one in found if passage.is_free(*one[:2])]
    drawn = [free[i] for i in chosen(passage.dice, range(len(free)), rate)]
    return [Edit(start, end, passage.dice.choice(others)) for start, end, others in drawn]


def _places(text: str, value: str) -> list[tuple[int, int]]:
    """Where a value stands as a word of its own, in capitals or not; in Chinese anywhere."""
    before = r"(?<![0-9A-Za-z])" if _ALNUM.match(value[0]) else ""
    behind = r"(?![0-9A-Za-z])" if _ALNUM.match(value[-1]) else ""
    # Not in `text.lower()`, which may have more characters than the text: of `İ` it makes two.
    pattern = before + re.escape(value) + behind
    return [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]


def templates(passage: Passage, *, file: str | None = None) -> list[Edit]:
    """The text inside one of the sentences of `file`, a line each, where `{text}` stands for it."""
    known = [line for line in lines_of(needed(file, "templates", "file")) if _TEXT in line]
    if not known:
        return []
    before, _, behind = passage.dice.choice(known).partition(_TEXT)
    return [Edit(0, 0, before), Edit(len(passage.text), len(passage.text), behind)]
