"""A file as a table of raw columns in which every row knows its line.

Cells that are lists, objects or of mixed kinds are kept as JSON text (`RawTable.nested` names their columns):
any JSON fits, and nothing is lost or guessed before a task says what it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.core.errors import Problem
from tunesmith.data.readers.json_value import decode, encode

_SHOWN = 5
_NESTED = "nested"
_DTYPES = {str(dtype): dtype for dtype in (pl.String(), pl.Boolean(), pl.Int64(), pl.Float64())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A line that is not a row: where it starts, the code of the cause, and what its sentence needs."""

    line: int
    code: str
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """What was read of one file.

    `lines` holds the line on which each row of `frame` starts (from 1; in Parquet, the number of the row).
    `header` is false when the first line of a delimited file is a row; `repeated` are column names that
    occurred again and were given a number. In plain text a row may cover several lines: `spans` says how many
    each, and `blank` are the lines that divide them.
    """

    path: Path
    frame: pl.DataFrame
    lines: tuple[int, ...]
    format: str
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    repeated: tuple[str, ...] = ()
    nested: frozenset[str] = frozenset()
    broken: tuple[Broken, ...] = ()
    spans: tuple[int, ...] | None = None
    blank: tuple[int, ...] = ()

    @property
    def read(self) -> int:
        """How many rows were read: usable or broken; in plain text every line, blank ones too."""
        rows = len(self.lines) if self.spans is None else sum(self.spans)
        return rows + len(self.blank) + len(self.broken)

    def values(self, column: str) -> list[Any]:
        """The cells of a column as Python values, JSON text decoded."""
        cells = self.frame[column].to_list()
        if column not in self.nested:
            return cells
        return [None if cell is None else decode(cell.encode()) for cell in cells]


def build(columns: Mapping[str, Sequence[Any]]) -> tuple[pl.DataFrame, frozenset[str]]:
    """A frame of columns given as Python values, and the names of those kept as JSON text."""
    series = {name: _series(name, cells) for name, cells in columns.items()}
    nested = frozenset(name for name, cells in series.items() if cells is None)
    frame = pl.DataFrame(
        [_as_json(name, columns[name]) if made is None else made for name, made in series.items()]
    )
    return frame, nested


def _series(name: str, cells: Sequence[Any]) -> pl.Series | None:
    """A plain column, or None when the cells are not all text, all numbers or all booleans."""
    kinds = set(map(type, cells)) - {type(None)}
    if kinds <= {str}:
        return pl.Series(name, cells, dtype=pl.String)
    if kinds == {bool}:
        return pl.Series(name, cells, dtype=pl.Boolean)
    if kinds == {int} and _fit_64_bits([cell for cell in cells if cell is not None]):
        return pl.Series(name, cells, dtype=pl.Int64)
    if kinds == {float}:
        return pl.Series(name, cells, dtype=pl.Float64)
    return None


def _fit_64_bits(numbers: list[int]) -> bool:
    return min(numbers) > -(2**63) and max(numbers) < 2**63


def _as_json(name: str, cells: Sequence[Any]) -> pl.Series:
    return pl.Series(name, [None if cell is None else encode(cell) for cell in cells], dtype=pl.String)


def from_rows(rows: Sequence[Mapping[str, Any]]) -> tuple[pl.DataFrame, frozenset[str]]:
    """The same for rows given as mappings: columns in the order in which they first occur."""
    names: dict[str, Any] = {}
    for row in rows:
        names.update(row)
    return build({name: _cells(rows, name) for name in names})


def _cells(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    try:
        return list(map(itemgetter(name), rows))
    except KeyError:
        return [row.get(name) for row in rows]


def join(tables: Sequence[RawTable]) -> RawTable:
    """The tables of one file as one, in order: all columns of any, null where a table lacks one.

    A column whose cells are not of one kind throughout is kept as JSON text, as `build` does.
    """
    if len(tables) == 1:
        return tables[0]
    names = dict.fromkeys(name for table in tables for name in table.frame.columns)
    kinds = {name: {kind for table in tables if (kind := _kind(table, name))} for name in names}
    nested = frozenset(name for name in names if len(kinds[name]) > 1 or _NESTED in kinds[name])
    spans = [table.spans for table in tables if table.spans is not None]
    columns = []
    for name in names:
        dtype = _DTYPES[next(iter(kinds[name]))] if kinds[name] and name not in nested else pl.String()
        columns.append(pl.concat([_part(table, name, dtype, name in nested) for table in tables]))
    return replace(
        tables[0],
        frame=pl.DataFrame(columns),
        lines=tuple(chain.from_iterable(table.lines for table in tables)),
        nested=nested,
        broken=tuple(chain.from_iterable(table.broken for table in tables)),
        spans=tuple(chain.from_iterable(spans)) if spans else None,
        blank=tuple(chain.from_iterable(table.blank for table in tables)),
    )


def _kind(table: RawTable, name: str) -> str | None:
    """Text, number or truth value, JSON text; None when there is nothing in the column."""
    if name not in table.frame.columns or table.frame[name].null_count() == table.frame.height:
        return None
    return _NESTED if name in table.nested else str(table.frame.schema[name])


def _part(table: RawTable, name: str, dtype: pl.DataType, nested: bool) -> pl.Series:
    """The column of one table in the form it has in all of them."""
    if _kind(table, name) is None:
        return pl.Series(name, [None] * table.frame.height, dtype=dtype)
    if nested and name not in table.nested:
        return _as_json(name, table.frame[name].to_list())
    return table.frame[name]


def as_text(cell: object) -> str | None:
    """Text as it is, numbers and booleans as JSON has them, a list of one text as that text, else None."""
    if isinstance(cell, list) and len(cell) == 1:
        cell = cell[0]
    if isinstance(cell, bool):
        return str(cell).lower()
    return str(cell) if isinstance(cell, str | int | float) else None


def some(values: Iterable[int | str]) -> str:
    """The first few line numbers or names, for a sentence: `118, 240, 991, ...`."""
    found = list(values)
    return ", ".join(map(str, found[:_SHOWN])) + (", ..." if len(found) > _SHOWN else "")


def broken_problems(path: Path, broken: Iterable[Broken]) -> list[Problem]:
    """One problem for each kind of broken line, with the first few places."""
    problems = []
    for code, group in groupby(sorted(broken, key=lambda item: item.code), lambda item: item.code):
        items = list(group)
        values = {**items[0].values, "count": len(items), "lines": some(i.line for i in items)}
        problems.append(Problem(code=code, file=str(path), line=items[0].line, values=values))
    return problems
