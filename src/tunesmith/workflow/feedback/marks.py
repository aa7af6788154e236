"""Words that somebody named, found again in a text: as entities, or as the answer to a question.

Places are looked for by the words, not by offsets alone: personal data were masked in between, which moves
what stands behind them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Mark = Mapping[str, Any]
NOTHING = "-"
"""What is written where there is nothing to be found."""


def placed(text: str, marks: Sequence[Mark]) -> list[dict[str, Any]]:
    """The marks as spans [start, end) in code points, in order; of several places the one nearest to `start`.

    Raises:
        ValueError: when words do not stand in the text, or not so often.
    """
    found: list[dict[str, Any]] = []
    for mark in marks:
        words, near = str(mark["text"]), mark.get("start")
        taken = [(one["start"], one["end"]) for one in found]
        free = [at for at in _places(text, words) if _is_free(at, at + len(words), taken)]
        if not free:
            raise ValueError(words)
        start = min(free, key=lambda at: (abs(at - (near or 0)), at))
        found.append({"start": start, "end": start + len(words), "label": str(mark.get("label") or "")})
    return sorted(found, key=lambda one: one["start"])


def read(said: str) -> list[Mark]:
    """Marks as people write them: `LOC Paris; PER Ann`, `-` for none.

    Raises:
        ValueError: for a part that is no label and words.
    """
    parts = [part.strip() for part in re.split("[;；\n]", said) if part.strip()]
    if parts == [NOTHING]:
        return []
    named = [part.split(maxsplit=1) for part in parts]
    if any(len(words) < 2 for words in named):
        raise ValueError(said)
    return [{"label": label.rstrip(":："), "text": words} for label, words in named]


def _places(text: str, words: str) -> list[int]:
    found, at = [], text.find(words) if words else -1
    while at >= 0:
        found.append(at)
        at = text.find(words, at + 1)
    return found


def _is_free(start: int, end: int, taken: Sequence[tuple[int, int]]) -> bool:
    return all(end <= first or start >= last for first, last in taken)
