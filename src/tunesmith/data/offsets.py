"""Moving what points into a text (spans, tokens, answers) when the text changes.

Old and new text are compared word by word, letters apart from width and case, so that an offset before,
after or inside an unchanged stretch finds its new place. An offset inside a stretch that was replaced by
something of another length has none: what it belongs to is lost.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl

from tunesmith.data.alignment import aligned

# Words of Latin, Greek and Cyrillic letters and digits are compared as a whole, all else one by one.
_PIECES = re.compile(r"[0-9A-Za-z\u00c0-\u04ff]+|.", re.DOTALL)


# The questions on one context follow each other.
_REMEMBERED = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """`before[start:end]` became `after[new_start:new_end]`."""

    start: int
    end: int
    new_start: int
    new_end: int

    @property
    def is_level(self) -> bool:
        """Whether each character has its counterpart: unchanged, or replaced one by one."""
        return self.end - self.start == self.new_end - self.new_start


class Moved:
    """Where the offsets of one text are in what became of it."""

    def __init__(self, before: str, after: str) -> None:
        self._blocks = _blocks(before, after)
        self._starts = [block.start for block in self._blocks]

    def start(self, offset: int, *, outward: bool = False) -> int | None:
        """The new place of a first character; inside what was replaced None, or the start of that."""
        block = self._blocks[max(0, bisect_right(self._starts, offset) - 1)]
        if block.is_level or offset in (block.start, block.end):
            inside = min(offset - block.start, block.new_end - block.new_start)
            return block.new_end if offset == block.end else block.new_start + inside
        return block.new_start if outward else None

    def end(self, offset: int, *, outward: bool = False) -> int | None:
        """The new place of an end (exclusive); inside what was replaced None, or the end of that."""
        if offset == 0:
            return 0
        block = self._blocks[max(0, bisect_right(self._starts, offset - 1) - 1)]
        if offset == block.end:
            return block.new_end
        if block.is_level:
            return block.new_start + offset - block.start
        return block.new_end if outward else None


@lru_cache(maxsize=_REMEMBERED)
def _moved(before: str, after: str) -> Moved:
    return Moved(before, after)


def _blocks(before: str, after: str) -> list[_Block]:
    """The opcodes of a comparison by pieces; texts in full, even where they are equal."""
    old, new = _PIECES.findall(_folded(before)), _PIECES.findall(_folded(after))
    at_old, at_new = _ends(old), _ends(new)
    return [
        _Block(start=at_old[a], end=at_old[b], new_start=at_new[c], new_end=at_new[d])
        for a, b, c, d in aligned(old, new)
        if b > a
    ] or [_Block(start=0, end=0, new_start=0, new_end=0)]


def _ends(pieces: list[str]) -> list[int]:
    places = [0]
    for piece in pieces:
        places.append(places[-1] + len(piece))
    return places


def _folded(text: str) -> str:
    """Characters without width and case, one for one."""
    if text.isascii():
        return text.lower()
    return "".join(_fold(character) for character in text)


def _fold(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character).lower()
    return folded if len(folded) == 1 else character


def move_spans(before: pl.DataFrame, after: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
    """`after` with `spans` and `tokens` where their text is now, without rows that lost a span; and those."""

    def move(moved: Moved, row: dict[str, Any], text: str) -> dict[str, Any] | None:
        spans = [_span(moved, span, text) for span in row["spans"] or ()]
        if None in spans:
            return None
        tokens = None if row.get("tokens") is None else _tokens(moved, row["tokens"], text)
        return {"spans": spans, "tokens": tokens}

    return _move(before, after, "text", ("spans", "tokens"), move)


def _span(moved: Moved, span: dict[str, Any], text: str) -> dict[str, Any] | None:
    start, end = moved.start(span["start"]), moved.end(span["end"])
    if start is None or end is None or not text[start:end].strip():
        return None
    return {**span, "start": start, "end": end}


def _tokens(moved: Moved, tokens: Iterable[dict[str, int]], text: str) -> list[dict[str, int]]:
    """Tokens that are still there; those which became one thing are one token."""
    found: list[dict[str, int]] = []
    for token in tokens:
        start = moved.start(token["start"], outward=True) or 0
        end = moved.end(token["end"], outward=True) or 0
        start = max(start, found[-1]["end"] if found else 0)
        if text[start:end].strip():
            found.append({"start": start, "end": end})
    return found


def move_answers(
    before: pl.DataFrame, after: pl.DataFrame, change: Callable[[pl.Series], pl.Series]
) -> tuple[pl.DataFrame, list[int]]:
    """`after` with `answers` where their text is now, without rows that lost an answer; and those.

    An answer that did not match its context keeps its place and has `change` applied to it.
    """

    def move(moved: Moved, row: dict[str, Any], text: str) -> dict[str, Any] | None:
        answers = []
        for answer in row["answers"] or ():
            start, end = answer["start"], (answer["start"] or 0) + len(answer["text"] or "")
            if start is None or row["context"][start:end] != answer["text"]:
                said = change(pl.Series([answer["text"]], dtype=pl.String))[0]
                answers.append({"text": said, "start": moved.start(start or 0, outward=True)})
                continue
            span = _span(moved, {"start": start, "end": end}, text)
            if span is None:
                return None
            answers.append({"text": text[span["start"] : span["end"]], "start": span["start"]})
        return {"answers": answers}

    return _move(before, after, "context", ("answers",), move)


def _move(
    before: pl.DataFrame,
    after: pl.DataFrame,
    column: str,
    pointing: tuple[str, ...],
    move: Callable[[Moved, dict[str, Any], str], dict[str, Any] | None],
) -> tuple[pl.DataFrame, list[int]]:
    places = (before[column] != after[column]).fill_null(False).arg_true()
    pointing = tuple(name for name in pointing if name in before.columns)
    if places.is_empty():
        return after, []
    chosen = before.select("_row", column, *pointing)[places].to_dicts()
    texts = after[column].gather(places).to_list()
    columns = {name: before[name].to_list() for name in pointing}
    lost: list[int] = []
    for place, row, text in zip(places, chosen, texts, strict=True):
        new = move(_moved(row[column], text), row, text)
        if new is None:
            lost.append(row["_row"])
            continue
        for name in pointing:
            columns[name][place] = new[name]
    series = [pl.Series(name, values, dtype=before[name].dtype) for name, values in columns.items()]
    after = after.with_columns(series)
    return after.filter(~pl.col("_row").is_in(lost)), lost
