"""Which rows say the same, but for case, width and spaces."""

from __future__ import annotations

import polars as pl

from tunesmith.data.characters import comparable
from tunesmith.data.clean import Cleaned


def keys(frame: pl.DataFrame) -> pl.Series:
    """What two rows have in common when they say the same: the text, or the whole conversation."""
    if "messages" not in frame.columns:
        return frame.select(comparable(pl.col("text"))).to_series()
    turn = pl.concat_str(
        pl.element().struct.field("role"),
        comparable(pl.element().struct.field("content")),
        separator="\x1f",
    )
    return frame.select(pl.col("messages").list.eval(turn).list.join("\x1e")).to_series()


def deduplicate(frame: pl.DataFrame) -> Cleaned:
    """The first row of each key stays; the rows of a key with different labels are all dropped."""
    keyed = frame.select("_row", key=keys(frame), conflict=pl.lit(False))
    if "label" in frame.columns:
        keyed = keyed.with_columns(frame["label"])
        keyed = keyed.with_columns(conflict=pl.col("label").drop_nulls().n_unique().over("key") > 1)
    keyed = keyed.with_columns(first=pl.col("_row").first().over("key"))
    clashing = keyed.filter(pl.col("conflict"))["_row"].to_list()
    repeats = keyed.filter(~pl.col("conflict") & (pl.col("_row") != pl.col("first")))
    pairs = dict(repeats.select("_row", "first").iter_rows())
    gone = pl.Series([*clashing, *pairs], dtype=pl.Int64)
    return Cleaned(
        frame=frame.filter(~pl.col("_row").is_in(gone.implode())),
        dropped=dict.fromkeys(clashing, "conflicting_label"),
        duplicates=pairs,
    )
