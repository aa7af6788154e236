"""What a layout is: one way in which files hold rows of a shape, found, read and written.

A layout looks at columns by name and at cells by form. It knows rows only, no files: readers hand it tables,
writers take its rows. Reading is a pure function of each row, so that a table can be read in pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import polars as pl

from tunesmith.data import names, shapes
from tunesmith.data.layouts import frames
from tunesmith.data.table import RawTable, as_text

_LOOKED_AT = 200

Row = dict[str, Any]
Mapped = Mapping[str, str]
"""Field to column, or to a name for the fields of `shapes.NAMES`."""


class RefusedError(Exception):
    """A row that cannot be used; the argument is the reason of the ledger."""


class UnfitError(Exception):
    """A row that a layout cannot hold when it is written; the argument says why."""


@dataclass(frozen=True)
class Sample:
    """The first rows of a file, by which its layout is recognised."""

    table: RawTable
    _known: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])

    @property
    def columns(self) -> list[str]:
        """The names of all columns."""
        return self.table.frame.columns

    def cells(self, column: str | None) -> list[Any]:
        """The first cells of a column that are not null."""
        if column is None:
            return []
        if column not in self._known:
            frame = self.table.frame.filter(pl.col(column).is_not_null()).head(_LOOKED_AT)
            self._known[column] = replace(self.table, frame=frame).values(column)
        return self._known[column]

    def all_are(self, column: str | None, test: Callable[[Any], bool]) -> bool:
        """Whether there are cells in the column and all pass."""
        cells = self.cells(column)
        return bool(cells) and all(map(test, cells))

    def named(self, *wanted: str) -> str | None:
        """The column with the best of these names, or None."""
        return names.first_of(wanted, self.columns)


class Layout:
    """One layout. `fields` are the names of `data.fields` it understands."""

    name: ClassVar[str]
    shape: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]
    is_written: ClassVar[bool] = False

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """The ways in which the columns may hold this layout, best first; `fields` has what the user said.

        Raises:
            DataError: when it is this layout, and something must be said before it can be read.
        """
        raise NotImplementedError

    def convert(self, table: RawTable, mapping: Mapped) -> pl.DataFrame:
        """Every row in the shape, with `_bad`: null, or why the row cannot be used."""
        raise NotImplementedError

    def write(self, row: Row) -> Row:
        """A row of the shape as this layout has it, ready for JSON; for layouts that are written.

        Raises:
            UnfitError: when the layout cannot hold it.
        """
        raise NotImplementedError


class RowLayout(Layout):
    """A layout that is read one row at a time, so that a file may mix several."""

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Whether the row is of this layout."""
        raise NotImplementedError

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The values of the shape's columns.

        Raises:
            RefusedError: with the reason, when the row cannot be used.
        """
        raise NotImplementedError

    def convert(self, table: RawTable, mapping: Mapped) -> pl.DataFrame:
        """Every row read, or refused."""
        return convert_rows(table, self.shape, [(self, mapping)])


RowWay = tuple[RowLayout, Mapped]


def convert_rows(table: RawTable, shape: str, ways: Sequence[RowWay]) -> pl.DataFrame:
    """Every row read by the first of `ways` that takes it; `unrecognised` where none does."""
    read = [_read(row, ways) for row in _rows(table, ways)]
    return frames.build(shape, [values for values, _ in read], [reason for _, reason in read])


def taken(table: RawTable, ways: Sequence[RowWay]) -> list[RowWay]:
    """Those of `ways` that take any of the first rows."""
    head = replace(table, frame=table.frame.head(_LOOKED_AT))
    found = {_taking(row, ways) for row in _rows(head, ways)}
    return [way for at, way in enumerate(ways) if at in found]


def columns_taken(table: RawTable, ways: Sequence[RowWay]) -> list[frozenset[str]]:
    """For each row the columns of the way that takes it; none where no way does."""
    columns = [frozenset(columns_of(mapping)) for _, mapping in ways]
    found = (_taking(row, ways) for row in _rows(table, ways))
    return [frozenset() if at is None else columns[at] for at in found]


def _rows(table: RawTable, ways: Sequence[RowWay]) -> Iterator[Row]:
    used = sorted({column for _, mapping in ways for column in columns_of(mapping)})
    for cells in zip(*(cells_of(table, column) for column in used), strict=True):
        yield dict(zip(used, cells, strict=True))


def _taking(row: Row, ways: Sequence[RowWay]) -> int | None:
    return next((at for at, (layout, mapping) in enumerate(ways) if layout.takes(row, mapping)), None)


def _read(row: Row, ways: Sequence[RowWay]) -> tuple[tuple[Any, ...] | None, str | None]:
    at = _taking(row, ways)
    if at is None:
        return None, "unrecognised"
    layout, mapping = ways[at]
    try:
        return layout.read(row, mapping), None
    except RefusedError as refused:
        return None, str(refused)


def columns_of(mapping: Mapped) -> list[str]:
    """The columns a mapping names."""
    return [column for field, column in mapping.items() if field not in shapes.NAMES]


def cells_of(table: RawTable, column: str) -> list[Any]:
    """A column as Python values, JSON text decoded; nulls where the table lacks it."""
    if column not in table.frame.columns:
        return [None] * table.frame.height
    return table.values(column)


def texts_of(table: RawTable, column: str) -> pl.Series:
    """A column as text, see `table.as_text`; null where a cell is no text."""
    if column not in table.frame.columns:
        return pl.Series(column, [None] * table.frame.height, dtype=pl.String)
    series = table.frame[column]
    if column not in table.nested and not series.dtype.is_float():
        return series.cast(pl.String)
    return pl.Series(column, [as_text(cell) for cell in table.values(column)], dtype=pl.String)


def blank(column: str, reason: str) -> pl.Expr:
    """`reason` where a text is null or only white space, else null."""
    empty = pl.col(column).is_null() | (pl.col(column).str.strip_chars() == "")
    return pl.when(empty).then(pl.lit(reason)).otherwise(None)


def required(row: Row, column: str, reason: str) -> str:
    """The text of a cell.

    Raises:
        RefusedError: with `reason` when there is none.
    """
    text = as_text(row[column])
    if text is None or not text.strip():
        raise RefusedError(reason)
    return text
