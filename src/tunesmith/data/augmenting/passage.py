"""What an augmenter is given and gives: a text with dice, and edits of it.

An augmenter says which stretches of a text it would replace; whether it may is decided here. Offsets count
code points, ends are exclusive.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from tunesmith.language.segment import segment, segment_all

Stretch = tuple[int, int]
_JOINED = re.compile(r"[0-9A-Za-z\u00c0-\u024f\uff10-\uff19]")


@dataclass(frozen=True, slots=True)
class Edit:
    """`text[start:end]` becomes `text`. `whole` is for exactly one span, which may be replaced as a whole."""

    start: int
    end: int
    text: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch with a label, such as an entity; an answer has none."""

    start: int
    end: int
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A text that may be changed. `dice` are its own: a function of the seed and of the row.

    No edit may touch what is `guarded`. `others` has the entities of the training part by label, `cut`
    divides a text into words.
    """

    text: str
    dice: Random
    spans: Sequence[Span] = ()
    guarded: Sequence[Stretch] = ()
    others: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    cut: Callable[[str], Sequence[str]] = segment

    @cached_property
    def words(self) -> list[Stretch]:
        """Where the words are that may be changed."""
        found, at = [], 0
        for word in self.cut(self.text):
            start = self.text.find(word, at)
            if start < 0:
                continue
            at = start + len(word)
            if self.is_free(start, at):
                found.append((start, at))
        return found

    def is_free(self, start: int, end: int) -> bool:
        """Whether nothing between is guarded."""
        return not any(start < last and first < end for first, last in self.guarded)

    def characters(self, pattern: re.Pattern[str]) -> list[int]:
        """The places of characters that match and may be changed."""
        return [m.start() for m in pattern.finditer(self.text) if self.is_free(m.start(), m.end())]


class Words:
    """Texts in words: all are cut when the first is asked for, which is much faster than one by one."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._found: dict[str, list[str]] = {}

    def __call__(self, text: str) -> list[str]:
        """The words of one of the texts."""
        if not self._found:
            self._found = dict(zip(self._texts, segment_all(self._texts), strict=True))
        return self._found[text]


def dice_of(*parts: object) -> Random:
    """Dice that depend on `parts` alone."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return Random(int.from_bytes(digest[:8], "big"))  # noqa: S311


def chosen(dice: Random, places: Sequence[int], rate: float) -> list[int]:
    """A share of the places, at least one if there are any, in order."""
    count = min(len(places), max(1, round(rate * len(places)))) if places else 0
    return sorted(dice.sample(list(places), count))


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A text after edits, and its spans where they are now."""

    text: str
    spans: tuple[Span, ...]


def edited(passage: Passage, edits: Iterable[Edit]) -> Edited | None:
    """The text with those edits that are allowed; None when nothing is left of them or a guard would suffer.

    Of edits that overlap the first is taken. A guarded stretch must not grow together with what is beside it:
    `10` before a new `5` would be another number.
    """
    taken: list[Edit] = []
    for edit in sorted(edits, key=lambda one: (one.start, one.end)):
        if _is_allowed(passage, edit) and (not taken or edit.start >= taken[-1].end):
            taken.append(edit)
    text = _applied(passage.text, taken)
    spans = tuple(Span(*_moved(span.start, span.end, taken), span.label) for span in passage.spans)
    if text == passage.text or not text.strip() or _grows(passage, text, taken):
        return None
    return Edited(text=text, spans=spans)


def _is_allowed(passage: Passage, edit: Edit) -> bool:
    if not 0 <= edit.start <= edit.end <= len(passage.text):
        return False
    if edit.whole:
        own = [(span.start, span.end) for span in passage.spans]
        touching = [one for one in own if one[0] < edit.end and edit.start < one[1]]
        return touching == [(edit.start, edit.end)] and bool(edit.text.strip())
    # An insertion has no length: it must not be inside.
    return passage.is_free(edit.start, edit.end) and not any(
        first < edit.start < last for first, last in passage.guarded
    )


def _applied(text: str, edits: Sequence[Edit]) -> str:
    parts, at = [], 0
    for edit in edits:
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def _moved(start: int, end: int, edits: Sequence[Edit]) -> Stretch:
    """Where a stretch is after edits that are beside it, or replace it whole."""
    before = sum(len(e.text) - (e.end - e.start) for e in edits if e.end <= start)
    within = sum(len(e.text) - (e.end - e.start) for e in edits if e.start >= start and e.end <= end)
    at_edge = [e for e in edits if e.start == e.end and e.start in (start, end)]
    # Inserted at an edge it is outside, and at the start it was counted already.
    within -= sum(len(e.text) for e in at_edge)
    return start + before, end + before + within


def _grows(passage: Passage, text: str, edits: Sequence[Edit]) -> bool:
    replaced = {(e.start, e.end) for e in edits if e.whole}
    for first, last in passage.guarded:
        if any(start <= first and last <= end for start, end in replaced):
            continue
        start, end = _moved(first, last, edits)
        if _joint(text, start) > _joint(passage.text, first) or _joint(text, end) > _joint(
            passage.text, last
        ):
            return True
    return False


def _joint(text: str, at: int) -> bool:
    """Whether the characters on both sides of a place belong to one word or number."""
    return bool(0 < at < len(text) and _JOINED.match(text[at - 1]) and _JOINED.match(text[at]))
