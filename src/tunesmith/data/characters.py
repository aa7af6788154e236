"""Unicode repair of text columns: one form for what looks the same, and mojibake undone."""

from __future__ import annotations

import polars as pl

# Latin letters and digits of full width, U+FF10-FF19, FF21-FF3A, FF41-FF5A; punctuation is not among them.
_WIDE = [chr(c) for r in ((0xFF10, 0xFF1A), (0xFF21, 0xFF3B), (0xFF41, 0xFF5B)) for c in range(*r)]
_NARROW = [chr(ord(c) - 0xFEE0) for c in _WIDE]

_TERMINAL_COLOURS = r"\x1b\[[0-9;]*[A-Za-z]"
_LINE_ENDS = r"\r\n?|[\x{2028}\x{2029}\x{85}]"
# Controls but tab and newline, soft hyphen, zero-width space, direction marks, word joiner, byte order mark.
_INVISIBLE = (
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\x{ad}\x{200b}\x{200e}\x{200f}"
    r"\x{202a}-\x{202e}\x{2060}-\x{2064}\x{2066}-\x{2069}\x{feff}]"
)
# Joiners do nothing after Latin, Greek, Cyrillic and Chinese; in emoji, Indic and Arabic they matter.
_IDLE_JOINERS = r"(^|[\x{0}-\x{5ff}\x{3000}-\x{9fff}\x{f900}-\x{faff}\x{ff00}-\x{ffef}])[\x{200c}\x{200d}]+"
_SPACES = r"[\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]"

# Two characters of U+0080-U+00FF and what cp1252 makes of such bytes, one after the other: UTF-8 misread.
_SUSPECT = (
    r"[\x{80}-\x{ff}\x{152}\x{153}\x{160}\x{161}\x{178}\x{17d}\x{17e}\x{192}\x{2c6}\x{2dc}"
    r"\x{2013}-\x{203a}\x{20ac}\x{2122}]{2}"
)


def normalised(texts: pl.Series) -> pl.Series:
    """What the cleaner `normalise` makes of texts. Doing it twice changes nothing."""
    return (
        texts.str.replace_all(_TERMINAL_COLOURS, "")
        .str.replace_all(_LINE_ENDS, "\n")
        .str.replace_all(_INVISIBLE, "")
        .str.replace_all(_IDLE_JOINERS, "${1}")
        .str.replace_many(_WIDE, _NARROW)
        .str.normalize("NFC")
        .str.replace_all(_SPACES, " ")
        # Only after something on the line: indentation is part of code.
        .str.replace_all(r"(\S)[ \t]{2,}", "${1} ")
        .str.replace_all(r"[ \t]+\n", "\n")
        .str.replace_all(r"\n{3,}", "\n\n")
        .str.strip_chars()
    )


def repaired(texts: pl.Series) -> pl.Series:
    """Texts with mojibake undone; only those that may contain it are looked at closely."""
    import ftfy

    suspects = texts.str.contains(_SUSPECT).fill_null(False).arg_true()
    if suspects.is_empty():
        return texts
    fixed = [ftfy.fix_encoding(text) for text in texts.gather(suspects).to_list()]
    return texts.scatter(suspects, pl.Series(fixed, dtype=pl.String))


def comparable(texts: pl.Expr) -> pl.Expr:
    """The form in which texts are equal when only case, width or spaces differ (Unicode NFKC, lower case)."""
    return (
        texts.str.replace_all(_INVISIBLE, "")
        .str.normalize("NFKC")
        .str.to_lowercase()
        .str.replace_all(r"\s{2,}|[^\S ]", " ")
        .str.strip_chars()
    )
