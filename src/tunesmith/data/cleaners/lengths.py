"""Rows that are too short or too long."""

from __future__ import annotations

from typing import Annotated

import polars as pl
from annotated_types import Ge

from tunesmith.data.clean import Cleaned, drop_where
from tunesmith.data.texts import text_of


def limit_length(
    frame: pl.DataFrame, *, shortest: Annotated[int, Ge(0)] = 1, longest: Annotated[int, Ge(1)] | None = None
) -> Cleaned:
    """Rows with fewer characters than `shortest` or more than `longest` are dropped.

    Spaces at the ends are not counted. Of a conversation or a pair all texts together count.
    """
    lengths = text_of(frame).str.strip_chars().str.len_chars().fill_null(0)
    short = drop_where(frame, lengths < shortest, "too_short")
    if longest is None:
        return short
    long = drop_where(short.frame, lengths.filter(lengths >= shortest) > longest, "too_long")
    return Cleaned(frame=long.frame, dropped={**short.dropped, **long.dropped})
