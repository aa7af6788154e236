"""Rows in a shape written to a file in a layout: a batch at a time, and the whole file or none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import polars as pl

from tunesmith.core import durable
from tunesmith.core.errors import DataError
from tunesmith.data import shapes
from tunesmith.data.batches import REST
from tunesmith.data.layouts.known import LAYOUTS
from tunesmith.data.layouts.layout import Layout, Row, UnfitError
from tunesmith.data.readers.json_value import decode, encode
from tunesmith.data.writers.delimited import Delimited
from tunesmith.data.writers.json_text import CmrcDocument, JsonDocument, JsonLines, SquadDocument
from tunesmith.data.writers.lines import Conll, Lines
from tunesmith.data.writers.sheet import Sheet
from tunesmith.data.writers.stored import SCHEMAS, Stored

_JSON = (".jsonl", ".json")
_TABLES = (".csv", ".tsv", ".xlsx")
_SUFFIXES = {
    "text": (*_JSON, *_TABLES, ".txt"),
    "text_label": (*_JSON, *_TABLES),
    "multi_label": (*_JSON, *_TABLES),
    "pair": (*_JSON, *_TABLES),
    "conll": (".conll", ".bio", ".iob2"),
    "bioes": (".conll", ".bioes"),
    "lines": (".txt",),
    "tatoeba": (".tsv", ".txt"),
    "cmrc": (".json",),
}
_ALSO = {"squad": ("cmrc",), "pair": ("lines", "tatoeba")}
"""Layouts that are the same rows in another file."""

Cell = TypeVar("Cell")

_BRACES = re.compile(r"\{([^{},]+),([^{},]+)\}")


class Writer(Protocol):
    """Writes rows of one layout to a file of one format."""

    def check(self, row: Row) -> None:
        """Raise UnfitError for a row that the format cannot hold."""

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""

    def close(self) -> None:
        """End the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How many rows a file has, and the numbers of those that its layout could not hold."""

    rows: int
    left_out: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the columns of a shape are called in a file (`names`), and the `order` of all columns.

    Columns without a place in the order come after the others.
    """

    names: Mapping[str, str] = field(default_factory=dict[str, str])
    order: Sequence[str] = ()

    def called(self, row: Mapping[str, Cell]) -> dict[str, Cell]:
        """A row, or kinds of columns, with the columns called so."""
        return {self.names.get(name, name): cell for name, cell in row.items()}

    def ordered(self, row: Mapping[str, Cell]) -> dict[str, Cell]:
        """The same in the order wanted."""
        return {name: row[name] for name in self.order if name in row} | dict(row)


AS_THEY_ARE = Columns()


def layouts_for(shape: str) -> dict[str, tuple[str, ...]]:
    """The layouts in which rows of a shape can be written, with the endings of the files."""
    found: dict[str, tuple[str, ...]] = {}
    for layout in LAYOUTS:
        if layout.shape == shape and layout.is_written:
            for name in (layout.name, *_ALSO.get(layout.name, ())):
                stored = (".parquet",) if name in SCHEMAS or name in ("pair", "translation") else ()
                found[name] = (*_SUFFIXES.get(name, _JSON), *stored)
    return found


def write(
    frames: Iterable[pl.DataFrame],
    path: Path,
    layout: str,
    *,
    unfit: Literal["stop", "drop"] = "stop",
    languages: tuple[str, str] = ("source", "target"),
    beside: Sequence[str] = (),
    columns: Columns = AS_THEY_ARE,
) -> Written:
    """Write frames of one shape, in order, to `path`, whose ending says in which format.

    Rows with a reason in `_bad` are left out; without any frame nothing is written. `languages` name the
    sides of pairs. For the layout `lines` the path names two files: `news.{en,zh}.txt`. Cells that the shape
    has no place for (`batches.REST`) are written beside, except in documents with a form of their own;
    `beside` are their columns in tables. `columns` says how the columns of rows are called where that is not
    as the layout calls them. Memory holds one frame at a time. In CSV and TSV, cells that spreadsheets would
    run are changed, see `writers.delimited`.

    Raises:
        DataError: D56 when the layout does not fit the shape or the file, D57 for a row that it cannot hold
            (with `stop`); nothing is written then.
        TunesmithError: C02 when the system refuses to write.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        return Written(rows=0)
    shape = shape_of(first)
    made = _layout(shape, layout, path)
    names = _languages(path, languages)
    left_out: list[int] = []
    rows = 0
    with ExitStack() as files:
        writer = _writer(files, path, layout, names, beside, columns)
        files.callback(writer.close)
        for frame in _and_then(first, frames):
            good = []
            for number, row in _numbered(frame):
                try:
                    own = columns.called(_renamed(made.write(row), shape, names))
                    written = columns.ordered(_with_rest(own, row, flat=bool(beside)))
                    writer.check(written)
                except UnfitError as error:
                    if unfit == "stop":
                        raise _cannot_hold(path, layout, number, error) from error
                    left_out.append(number)
                else:
                    good.append(written)
            writer.add(good)
            rows += len(good)
    return Written(rows=rows, left_out=tuple(left_out))


def _cannot_hold(path: Path, layout: str, row: int, error: UnfitError) -> DataError:
    return DataError("D57", file=path, layout=layout, row=row, noun=f"unfit_{error}")


def shape_of(frame: pl.DataFrame) -> str:
    """The shape whose columns a frame has: the one with most columns."""
    fitting = [name for name, columns in shapes.COLUMNS.items() if set(columns) <= set(frame.columns)]
    return max(fitting, key=lambda name: len(shapes.COLUMNS[name]))


def _layout(shape: str, name: str, path: Path) -> Layout:
    fitting = layouts_for(shape)
    if path.suffix.lower() not in fitting.get(name, ()):
        # Where only the ending is wrong, other layouts are no answer.
        possible = {name: fitting[name]} if name in fitting else fitting
        shown = "; ".join(f"{known} ({', '.join(endings)})" for known, endings in possible.items())
        raise DataError("D56", file=path, shape=shape, layout=name, fitting=shown)
    own = next((base for base, others in _ALSO.items() if name in others), name)
    return next(layout for layout in LAYOUTS if (layout.shape, layout.name) == (shape, own))


def _languages(path: Path, languages: tuple[str, str]) -> tuple[str, str]:
    match = _BRACES.search(path.name)
    return (match[1], match[2]) if match else languages


def paths_of(path: Path, layout: str, languages: tuple[str, str]) -> list[Path]:
    """The files that `write` makes: for `lines` one for each side."""
    if layout != "lines":
        return [path]
    return [_side(path, name) for name in _languages(path, languages)]


def _and_then(first: pl.DataFrame, others: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    yield first
    yield from others


def _numbered(frame: pl.DataFrame) -> Iterator[tuple[int, Row]]:
    """The rows that can be used, each with its number in the ledger, or in the frame."""
    if "_row" not in frame.columns:
        frame = frame.with_row_index("_row")
    if "_bad" in frame.columns:
        frame = frame.filter(pl.col("_bad").is_null())
    for row in frame.iter_rows(named=True):
        yield row["_row"], row


def _renamed(row: Row, shape: str, names: tuple[str, str]) -> Row:
    """A pair with its sides called by their languages."""
    if shape != shapes.PAIRED:
        return row
    if "translation" in row:
        return {"translation": _renamed(row["translation"], shape, names)}
    return {names[0]: row["source"], names[1]: row["target"]}


def _with_rest(written: Row, row: Row, *, flat: bool) -> Row:
    """A row with the cells beside it; where it is to be `flat`, lists and objects as JSON text."""
    if REST not in row:
        return written
    rest = decode(row[REST].encode())
    if flat:
        rest = {name: cell if isinstance(cell, str) else encode(cell) for name, cell in rest.items()}
    return {**rest, **written}


def _writer(
    files: ExitStack,
    path: Path,
    layout: str,
    names: tuple[str, str],
    beside: Sequence[str],
    columns: Columns,
) -> Writer:
    suffix = path.suffix.lower()
    if layout == "lines":
        paths = paths_of(path, layout, names)
        return Lines([files.enter_context(durable.new_file(p)) for p in paths], names)
    target = files.enter_context(durable.new_file(path))
    if layout in ("conll", "bioes"):
        return Conll(target)
    if layout == "tatoeba":
        return Delimited(target, names, delimiter="\t", header=False, escaped=False)
    if suffix == ".txt":
        return Lines([target], ["text"])
    if suffix == ".json":
        return {"squad": SquadDocument, "cmrc": CmrcDocument}.get(layout, JsonDocument)(target)
    if suffix not in (*_TABLES, ".parquet"):
        return JsonLines(target)
    own = columns.called(_schema(layout, names))
    schema = columns.ordered({**dict.fromkeys(beside, pl.String()), **own})
    return Stored(target, schema) if suffix == ".parquet" else _table(target, suffix, list(schema))


def _table(target: Path, suffix: str, columns: list[str]) -> Writer:
    if suffix == ".xlsx":
        return Sheet(target, columns)
    return Delimited(target, columns, delimiter="," if suffix == ".csv" else "\t", header=True, escaped=True)


def _schema(layout: str, names: tuple[str, str]) -> dict[str, pl.DataType]:
    sides: dict[str, pl.DataType] = dict.fromkeys(names, pl.String())
    if layout == "translation":
        return {"translation": pl.Struct(sides)}
    return sides if layout == "pair" else dict(SCHEMAS[layout])


def _side(path: Path, name: str) -> Path:
    if _BRACES.search(path.name):
        return path.with_name(_BRACES.sub(lambda _: name, path.name))
    return path.with_name(f"{path.stem}.{name}{path.suffix}")
