"""Rows that are mostly something other than words."""

from __future__ import annotations

from typing import Annotated

import polars as pl
from annotated_types import Ge, Le

from tunesmith.data.clean import Cleaned, drop_where
from tunesmith.data.texts import text_of


def drop_symbols(frame: pl.DataFrame, *, letters: Annotated[float, Ge(0), Le(1)] = 0.2) -> Cleaned:
    """Rows in which fewer than this share of the characters that are no spaces are letters, of any script."""
    texts = text_of(frame)
    visible = texts.str.len_chars() - texts.str.count_matches(r"\s")
    others = texts.str.count_matches(r"[^\p{L}\p{M}\s]")
    return drop_where(frame, (visible - others < letters * visible) & (visible > 0), "mostly_symbols")
