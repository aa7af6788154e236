"""The shapes as polars knows them, and frames made of rows given as Python values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from tunesmith.data import shapes

TURN = pl.Struct({"role": pl.String, "content": pl.String, "tool_calls": pl.String})
TURNS = pl.List(TURN)
SPANS = pl.List(pl.Struct({"start": pl.Int64, "end": pl.Int64, "label": pl.String}))
TOKENS = pl.List(pl.Struct({"start": pl.Int64, "end": pl.Int64}))
ANSWERS = pl.List(pl.Struct({"text": pl.String, "start": pl.Int64}))

_SPECIAL: Mapping[str, pl.DataType] = {
    "labels": pl.List(pl.String),
    "score": pl.Float64(),
    "messages": TURNS,
    "prompt": TURNS,
    "chosen": TURNS,
    "rejected": TURNS,
    "desirable": pl.Boolean(),
    "spans": SPANS,
    "tokens": TOKENS,
    "answers": ANSWERS,
}


def schema(shape: str) -> dict[str, pl.DataType]:
    """The columns of a shape with their types."""
    return {name: _SPECIAL.get(name, pl.String()) for name in shapes.COLUMNS[shape]}


def build(shape: str, rows: Sequence[Sequence[Any] | None], reasons: Sequence[str | None]) -> pl.DataFrame:
    """Rows with a value for each column of the shape, or None where `reasons` says why there is none."""
    types = schema(shape)
    empty = (None,) * len(types)
    columns = list(zip(*(empty if row is None else row for row in rows), strict=True)) or [()] * len(types)
    made = [_series(name, cells, types[name]) for name, cells in zip(types, columns, strict=True)]
    return pl.DataFrame([*made, pl.Series("_bad", reasons, dtype=pl.String)])


def _series(name: str, cells: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct):
        return _structs(name, cells, dtype.inner)
    return pl.Series(name, cells, dtype=dtype)


def _structs(name: str, cells: Sequence[Any], inner: pl.Struct) -> pl.Series:
    """A column of lists of dictionaries; null where there is no list.

    By way of flat columns: polars takes such lists one row at a time, which is slow.
    """
    sizes = [len(items) if items else 0 for items in cells]
    flat = [item for items in cells for item in items or ()]
    at = pl.Series("_at", np.repeat(np.arange(len(sizes)), sizes), dtype=pl.Int64)
    fields = [
        pl.Series(field.name, [item[field.name] for item in flat], dtype=field.dtype)
        for field in inner.fields
    ]
    lists = (
        pl.DataFrame([at, *fields])
        .group_by("_at", maintain_order=True)
        .agg(pl.struct(field.name for field in inner.fields).alias(name))
    )
    missing = [items is None for items in cells]
    rows = pl.DataFrame(
        {"_at": range(len(sizes)), "_none": missing}, schema={"_at": pl.Int64, "_none": pl.Boolean}
    )
    found = rows.join(lists, on="_at", how="left", maintain_order="left")
    filled = pl.col(name).cast(pl.List(inner)).fill_null(pl.lit([], dtype=pl.List(inner)))
    return found.with_columns(filled).select(pl.when(~pl.col("_none")).then(name).alias(name)).to_series()
