"""Lines that a page carries around its text: navigation, cookie notices, copyright, calls to click."""

from __future__ import annotations

import re
from functools import partial

import polars as pl

from tunesmith.data.clean import Cleaned, change_texts
from tunesmith.data.cleaners import wordlists
from tunesmith.data.texts import on_suspects, one_by_one

# What may stand around the words of such a line: spaces, bullets, arrows, brackets, full stops.
_AROUND = r"[\s>»›→↓↑·•|*\[\]()（）【】«‹←.…。!！:：-]*"
_LONGEST = 120


def strip_boilerplate(
    frame: pl.DataFrame, *, lines: tuple[str, ...] = (), file: str | None = None
) -> Cleaned:
    """Lines of navigation, cookie notices, copyright and the like are removed, and your own.

    Your own are in `lines` and, one a line, in `file`. A line counts when nothing else stands on it but marks
    and spaces, whatever its case. A text that consists of nothing else stays.

    Raises:
        NotFoundError: D60 when `file` does not exist.
        DataError: D61 when it is not UTF-8 text.
    """
    known = wordlists.builtin("boilerplate")
    whole = (*known["lines"], *lines, *wordlists.own(file))
    pattern = re.compile(_either(whole, known["begins"]), re.IGNORECASE)
    # The line's first words tell; a line break must be near, as one line alone is kept.
    suspect = rf"(?i)(?m:^{_AROUND}(?:{'|'.join(map(re.escape, sorted((*whole, *known['begins']))))}))"
    change = one_by_one(partial(_stripped, pattern=pattern))
    return change_texts(frame, lambda texts: on_suspects(texts, suspect, change))


def _either(whole: tuple[str, ...], begins: tuple[str, ...]) -> str:
    """A pattern for the lines to remove, longest words first."""
    lines = "|".join(re.escape(line) for line in sorted(whole, key=len, reverse=True))
    starts = "|".join(re.escape(line) for line in sorted(begins, key=len, reverse=True))
    return rf"{_AROUND}(?:(?:{lines}){_AROUND}|(?:{starts}).{{0,{_LONGEST}}})"


def _stripped(text: str, pattern: re.Pattern[str]) -> str:
    lines = text.split("\n")
    kept = [line for line in lines if not (line.strip() and pattern.fullmatch(line))]
    if len(kept) == len(lines) or not any(line.strip() for line in kept):
        return text
    return "\n".join(kept).strip("\n")
