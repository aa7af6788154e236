"""Abusive and obscene words: rows with them dropped, or the words masked."""

from __future__ import annotations

import re
from typing import Literal

import polars as pl

from tunesmith.data.clean import Cleaned, change_texts, drop_where
from tunesmith.data.cleaners import wordlists
from tunesmith.data.texts import settled, text_of

Action = Literal["mask", "drop"]

_MASK = "***"


def filter_profanity(
    frame: pl.DataFrame, *, action: Action = "mask", words: tuple[str, ...] = (), file: str | None = None
) -> Cleaned:
    """Abusive words of short lists in English and Chinese, of `words` and of `file`, become `***`.

    With `action: drop` rows that have one are dropped. Words of ASCII letters count as whole words, whatever
    their case, all others wherever they stand.

    Raises:
        NotFoundError: D60 when `file` does not exist.
        DataError: D61 when it is not UTF-8 text.
    """
    known = wordlists.builtin("profanity")
    pattern = _pattern((*known["en"], *known["zh"], *words, *wordlists.own(file)))
    if action == "drop":
        return drop_where(frame, text_of(frame).str.contains(pattern), "profanity")
    return change_texts(
        frame, lambda texts: settled(texts, lambda found: found.str.replace_all(pattern, _MASK))
    )


def _pattern(words: tuple[str, ...]) -> str:
    """Longest first, so that of two words the one that has the other in it is masked."""
    ordered = sorted({word.lower() for word in words if word}, key=lambda word: (-len(word), word))
    anywhere = "|".join(re.escape(word) for word in ordered if not word.isascii())
    whole = "|".join(_bounded(word) for word in ordered if word.isascii())
    return rf"(?i:{anywhere})|(?i-u:{whole})"


def _bounded(word: str) -> str:
    """A word by itself. Where it begins or ends with a sign (`c++`) there is no boundary to ask for."""
    before, after = (r"\b" if character.isalnum() else "" for character in (word[0], word[-1]))
    return f"{before}{re.escape(word)}{after}"
