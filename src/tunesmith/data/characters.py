"""Which characters are invisible, and the form in which texts are compared."""

from __future__ import annotations

import polars as pl

# Controls but tab and newline, soft hyphen, zero-width space, direction marks, word joiner, byte order mark.
INVISIBLE = (
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\x{ad}\x{200b}\x{200e}\x{200f}"
    r"\x{202a}-\x{202e}\x{2060}-\x{2064}\x{2066}-\x{2069}\x{feff}]"
)


def comparable(texts: pl.Expr) -> pl.Expr:
    """The form in which texts are equal when only case, width or spaces differ (Unicode NFKC, lower case)."""
    return texts.map_batches(_compared, return_dtype=pl.String)


def _compared(texts: pl.Series) -> pl.Series:
    seen = texts.str.replace_all(INVISIBLE, "")
    # ASCII is in its normal form already, and looking at it takes most of the time.
    wide = (seen.str.len_bytes() != seen.str.len_chars()).fill_null(False).arg_true()
    seen = seen.scatter(wide, seen.gather(wide).str.normalize("NFKC"))
    return seen.str.to_lowercase().str.replace_all(r"\s{2,}|[^\S ]", " ").str.strip_chars()
