"""The words of texts: runs of Chinese characters by dictionary, everything else by Unicode's word rules.

It follows the default word boundaries of UAX 29 where they need no dictionary: `don't`, `3,000.50` and
`U.S.A` are one word each, `state-of-the-art` is four. Runs of kana or Thai are left whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

_HAN = r"\p{Han}+"
_NUMBER = r"\p{Nd}+(?:[.,]\p{Nd}+)+"
_LETTERS = r"[\p{L}\p{M}\p{N}_--\p{Han}]+"
_WORD = rf"{_LETTERS}(?:['’.]{_LETTERS})*"
# One sign, with the marks and joiners that make it look as it does.
_SIGN = r"\S(?:\x{200d}\S|[\p{M}\x{fe0f}])*"
_WORDS = "|".join([_HAN, _NUMBER, _WORD])


def segment(text: str, *, punctuation: bool = False) -> list[str]:
    """The words of one text in order; with `punctuation` also its signs, one by one."""
    return segment_all([text], punctuation=punctuation)[0]


def segment_all(texts: Sequence[str] | pl.Series, *, punctuation: bool = False) -> list[list[str]]:
    """The words of each text; a null has none. Much faster than text by text.

    Without spaces and, unless `punctuation` is set, without signs; joined, they are the text's characters.
    Chinese is cut by rjieba with its own dictionary and its model for words that are not in it.
    """
    given = texts if isinstance(texts, pl.Series) else pl.Series(texts, dtype=pl.String)
    pattern = f"{_WORDS}|{_SIGN}" if punctuation else _WORDS
    pieces = given.fill_null("").str.extract_all(pattern)
    chinese = given.str.contains(r"\p{Han}{2}").fill_null(False)
    return [_cut(row) if cut else row for row, cut in zip(pieces.to_list(), chinese, strict=True)]


def _cut(pieces: list[str]) -> list[str]:
    import rjieba

    words: list[str] = []
    for piece in pieces:
        # A piece is all Han or not at all; its second character tells, the first may be a sign such as 〇.
        words.extend(rjieba.cut(piece) if len(piece) > 1 and _is_han(piece[1]) else [piece])
    return words


def _is_han(character: str) -> bool:
    if "\u3040" <= character <= "\u33ff":  # kana, Bopomofo and signs lie among them
        return False
    return "\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character >= "\U00020000"
