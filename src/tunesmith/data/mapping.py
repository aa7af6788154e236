"""From raw columns to the shape a task needs: the layouts of a file found, each row converted or refused.

Layouts (`data.layouts`) are found from the first rows of a file; where a file mixes several, row by row.
`data.fields` comes first. A row that cannot be used gets a reason; what is to be done with it is decided
elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tunesmith.core.errors import DataError
from tunesmith.core.registry import suggestion
from tunesmith.data import shapes
from tunesmith.data.layouts import known
from tunesmith.data.layouts.layout import (
    RowLayout,
    Sample,
    columns_of,
    columns_taken,
    convert_rows,
    taken,
    texts_of,
)
from tunesmith.data.layouts.text_label import candidates
from tunesmith.data.table import RawTable

texts = texts_of
"""A column of a table as text; null where a cell is no text."""

# What D08 shows for a shape of which nothing was found.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    shapes.TEXT: ("text",),
    shapes.LABELLED: ("text", "label"),
    shapes.MULTILABELLED: ("text", "labels"),
    shapes.SCORED: ("text", "score"),
    shapes.MESSAGES: ("prompt", "completion"),
    shapes.PREFERRED: ("prompt", "chosen", "rejected"),
    shapes.RATED: ("prompt", "completion", "desirable"),
    shapes.TAGGED: ("tokens", "tags"),
    shapes.ANSWERED: ("question", "context", "answers"),
    shapes.PAIRED: ("source", "target"),
    shapes.CONTRASTED: ("source", "target", "negative"),
    shapes.COMPARED: ("source", "target", "score"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapper:
    """Tables of one file turned into a shape.

    `ways` are the layouts that rows may have, `seen` those that the first rows do have. `mapping` says which
    column each field is, `kind` what the layout is called, or `mixed`.
    """

    shape: str
    ways: Sequence[known.Way]
    seen: Sequence[known.Way]

    @property
    def kind(self) -> str:
        """The name of the layout, or `mixed` where rows differ."""
        kinds = {layout.name for layout, _ in self.seen}
        return kinds.pop() if len(kinds) == 1 else "mixed"

    @property
    def mapping(self) -> Mapping[str, str]:
        """Field to column; to several columns where rows differ."""
        found: dict[str, dict[str, None]] = {}
        for _, mapping in self.seen:
            for field, column in mapping.items():
                found.setdefault(field, {})[column] = None
        return {field: ", ".join(columns) for field, columns in found.items()}

    def columns_taken(self, table: RawTable) -> list[frozenset[str]]:
        """For each row of a table the columns that its layout takes."""
        rows = [(layout, mapping) for layout, mapping in self.ways if isinstance(layout, RowLayout)]
        if len(rows) > 1:
            return columns_taken(table, rows)
        return [frozenset(columns_of(self.ways[0][1]))] * len(table.lines)

    def __call__(self, table: RawTable) -> pl.DataFrame:
        """The columns of the shape and `_bad` (null, or why the row cannot be used), a row for each row.

        A pure function of each row: a table may be converted in pieces.
        """
        if rows := _row_ways(self.ways):
            return convert_rows(table, self.shape, rows)
        layout, mapping = self.ways[0]
        return layout.convert(table, mapping)


def mapper(sample: RawTable, shape: str, fields: Mapping[str, str]) -> Mapper:
    """How to turn tables like `sample` into `shape`; `fields` maps field names to columns.

    Raises:
        DataError: D06 unknown column, D16 unknown field, D08 when it is not clear which columns to use.
    """
    _check_fields(sample, shape, fields)
    first_rows = Sample(sample)
    ways = known.ways(first_rows, shape, fields)
    if not ways:
        raise _unclear(first_rows, shape, fields)
    if not isinstance(ways[0][0], RowLayout):
        return Mapper(shape=shape, ways=ways[:1], seen=ways[:1])
    rows = _row_ways(ways)
    seen = taken(sample, rows)
    return Mapper(shape=shape, ways=rows, seen=seen or rows[:1])


def _row_ways(ways: Sequence[known.Way]) -> list[tuple[RowLayout, Mapping[str, str]]]:
    return [(layout, mapping) for layout, mapping in ways if isinstance(layout, RowLayout)]


def recognise(sample: RawTable) -> str:
    """The name of the shape that the columns of `sample` fit best; `text` when nothing fits."""
    way = known.first(Sample(sample))
    return shapes.TEXT if way is None else way[0].shape


def _check_fields(table: RawTable, shape: str, fields: Mapping[str, str]) -> None:
    columns, known_fields = table.frame.columns, list(shapes.FIELDS[shape])
    for field, column in fields.items():
        if field not in known_fields:
            raise DataError("D16", name=field, shape=shape, **suggestion(field, known_fields))
        names_language = shape == shapes.PAIRED and "translation" in columns
        if field not in shapes.NAMES and column not in columns and not names_language:
            values = suggestion(column, columns)
            raise DataError("D06", file=table.path, line=1, name=column, key=f"fields.{field}", **values)


def _unclear(sample: Sample, shape: str, fields: Mapping[str, str]) -> DataError:
    found: dict[str, str | None] = {field: fields.get(field) for field in _NEEDED[shape]}
    if shape == shapes.LABELLED:
        found = candidates(sample, fields)
    if shape == shapes.TEXT and fields.keys() & {"prompt", "completion"}:
        found = {"prompt": fields.get("prompt"), "completion": fields.get("completion")}
    missing = ", ".join(f"`{field}`" for field, column in found.items() if column is None)
    example = ", ".join(f"{field}: COLUMN" for field in found)
    table = sample.table
    names = ", ".join(table.frame.columns)
    return DataError(
        "D08", file=table.path, line=1, shape=shape, missing=missing, known=names, example=example
    )
