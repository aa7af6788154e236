"""Parquet and Arrow files: columns that have types already, read a slice at a time.

Numbers of class labels become their names where the file, or `dataset_info.json` beside it, gives names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from tunesmith.core.errors import DataError
from tunesmith.data.readers import arrow_stream, class_names
from tunesmith.data.table import RawTable, build

_INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)
_SIMPLE = (pl.String, pl.Boolean, pl.Int64, pl.Float64)
_FEWEST_ROWS = 64

Kind = Literal["parquet", "arrow", "arrow_stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columnar:
    """A Parquet or Arrow file."""

    path: Path
    kind: Kind

    def batches(self, size: int) -> Iterator[RawTable]:
        """The rows in batches of about `size` bytes in memory.

        Raises:
            DataError: D03 when the file is damaged.
        """
        names = class_names.of(self.path, parquet=self.kind == "parquet")
        before = 0
        try:
            for frame in self._frames(size):
                if frame.height:
                    yield self._table(frame, before, names)
                before += frame.height
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
            raise DataError("D03", file=self.path, reason=self.kind) from error

    def _frames(self, size: int) -> Iterator[pl.DataFrame]:
        if self.kind == "arrow_stream":
            yield from _sliced(arrow_stream.frames(self.path), size)
            return
        lazy = pl.scan_parquet(self.path) if self.kind == "parquet" else pl.scan_ipc(self.path)
        rows = _rows_in(lazy.head(_FEWEST_ROWS).collect(), size)
        yield from _sliced(lazy.collect_batches(chunk_size=rows, maintain_order=True, lazy=True), size)

    def _table(self, frame: pl.DataFrame, before: int, names: Mapping[str, class_names.Names]) -> RawTable:
        frame, nested = _plain(class_names.named(frame, names))
        return RawTable(
            path=self.path,
            frame=frame,
            lines=tuple(range(before + 1, before + frame.height + 1)),
            format="parquet" if self.kind == "parquet" else "arrow",
            nested=nested,
        )


def _rows_in(frame: pl.DataFrame, size: int) -> int:
    """How many rows of that kind take about `size` bytes."""
    return max(1, int(size * max(1, frame.height) / max(1, frame.estimated_size())))


def _sliced(frames: Iterator[pl.DataFrame], size: int) -> Iterator[pl.DataFrame]:
    for frame in frames:
        yield from frame.iter_slices(_rows_in(frame, size))


def _plain(frame: pl.DataFrame) -> tuple[pl.DataFrame, frozenset[str]]:
    """The columns in the few types that raw tables have; lists, structures and dates as JSON text."""
    made: list[pl.Series] = []
    nested: set[str] = set()
    for column in frame:
        simple = _simple(column)
        if simple is None:
            one, kept = build({column.name: _values(column)})
            simple, nested = one.to_series(), nested | kept
        made.append(simple)
    return pl.DataFrame(made), frozenset(nested)


def _simple(column: pl.Series) -> pl.Series | None:
    if column.null_count() == len(column):
        return pl.Series(column.name, [None] * len(column), dtype=pl.String)
    if column.dtype in _INTEGERS:
        return column.cast(pl.Int64)
    if column.dtype == pl.Float32:
        return column.cast(pl.Float64)
    return column if column.dtype in _SIMPLE else None


def _values(column: pl.Series) -> list[Any]:
    if column.dtype == pl.Binary:
        return [None if value is None else value.decode("utf-8", "replace") for value in column.to_list()]
    return column.to_list()
