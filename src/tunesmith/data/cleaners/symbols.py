"""Rows that are mostly something other than words."""

from __future__ import annotations

from typing import Annotated

import polars as pl
from annotated_types import Ge, Le

from tunesmith.data.clean import Cleaned, drop_where
from tunesmith.data.cleaners import scripts
from tunesmith.data.texts import text_of


def drop_symbols(frame: pl.DataFrame, *, letters: Annotated[float, Ge(0), Le(1)] = 0.3) -> Cleaned:
    """Rows in which fewer than this share of the characters that are no spaces are letters, of any script."""
    counts = scripts.counts(text_of(frame))
    visible = pl.sum_horizontal(pl.exclude("space"))
    few = pl.sum_horizontal(*scripts.LETTERS, "mark") < letters * visible
    return drop_where(frame, counts.select(gone=few & (visible > 0))["gone"], "mostly_symbols")
