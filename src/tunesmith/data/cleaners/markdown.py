"""Markdown out of text columns: marks go, words stay."""

from __future__ import annotations

import re
from functools import partial
from typing import Literal

import polars as pl

from tunesmith.data.clean import Cleaned, change_texts
from tunesmith.data.cleaners.html import CODE
from tunesmith.data.texts import on_suspects, one_by_one, settled

Code = Literal["keep", "drop"]

_SUSPECT = r"[*_#>`~|]|\]\(|(?m:^[ ]{0,3}(?:-[ ]*){3,}$)|(?m:^=+$)"

# Each takes away marks only; what they enclose is kept as it is.
_MARKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), kept)
    for pattern, kept in (
        (r"^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$", r"\1"),  # headings
        (r"^[^\S\n]{0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,}|={2,}[ \t]*)$\n?", ""),  # rules
        (r"^ {0,3}(?:>[ \t]?)+", ""),  # quotations
        (r"!?\[([^\[\]\n]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:[ \t]+\"[^\"\n]*\")?\)", r"\1"),  # links, images
        (r"(?<![\w*])\*\*\*(?=[^\s*])([^*\n]*[^\s*])\*\*\*(?![\w*])", r"\1"),
        (r"\*\*(?=[^\s*])([^*\n]*[^\s*])\*\*", r"\1"),
        (r"(?<!\w)__(?=[^\s_])([^\n]*?[^\s_])__(?!\w)", r"\1"),
        (r"(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])", r"\1"),
        (r"(?<!\w)_(?=[^\s_])([^_\n]*[^\s_])_(?!\w)", r"\1"),
        (r"~~(?=[^\s~])([^~\n]*[^\s~])~~", r"\1"),
        (r"^[ \t]*\|?(?:[ \t]*:?-{3,}:?[ \t]*\|)+(?:[ \t]*:?-{3,}:?[ \t]*)?$\n?", ""),  # under table heads
    )
)


def strip_markdown(frame: pl.DataFrame, *, code: Code = "keep") -> Cleaned:
    """Headings, emphasis, links, images, quotations and rules lose their marks; lists and tables stay.

    Code between backticks stays with its backticks, or is dropped.
    """
    change = partial(_stripped, code=code)
    return change_texts(
        frame, lambda texts: on_suspects(texts, _SUSPECT, lambda found: settled(found, change))
    )


def _stripped(texts: pl.Series, code: Code) -> pl.Series:
    return one_by_one(partial(strip, code=code))(texts)


def strip(text: str, code: Code = "keep") -> str:
    """A text without Markdown; code between backticks is left alone or dropped."""
    parts = CODE.split(text)
    kept = [part if i % 2 else _unmarked(part) for i, part in enumerate(parts) if code == "keep" or not i % 2]
    return "".join(kept)


def _unmarked(text: str) -> str:
    for pattern, kept in _MARKS:
        text = pattern.sub(kept, text)
    return text
