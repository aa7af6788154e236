"""How a delimited text is written: delimiter, quoting and header, found from its beginning.

The delimiter is the one for which most rows have the same number (at least two) of fields. Quoting is that of
RFC 4180 unless the text is only rectangular when quotes are taken as text, as in many tab separated files.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from tunesmith.core.errors import DataError
from tunesmith.data.names import KNOWN
from tunesmith.data.readers.text import Start

DELIMITERS = (",", "\t", ";", "|")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_LONGEST_NAME = 60
# A quote that is open for longer is one that is never closed. Characters.
_LONGEST_FIELD = 64 * 1024 * 1024
_LONGEST_CUT = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Delimiter, quoting, the names of the columns, and whether the first line has them.

    `repeated` are names that occurred again and were given a number.
    """

    delimiter: str
    quoted: bool
    names: tuple[str, ...]
    header: bool
    repeated: tuple[str, ...] = ()


class _Reader(Protocol):
    """What `csv.reader` returns."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


class QuoteError(Exception):
    """A quoted field that does not end as it should, in the row that starts on `line`."""

    def __init__(self, line: int, *, at_end: bool) -> None:
        self.line = line
        self.at_end = at_end
        super().__init__(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """The records of a text under one delimiter."""

    delimiter: str
    quoted: bool
    records: list[list[str]]

    @property
    def width(self) -> int:
        """The number of fields most records have."""
        return Counter(map(len, self.records)).most_common(1)[0][0]

    @property
    def regularity(self) -> float:
        """The share of records with that number of fields."""
        width = self.width
        return sum(len(cells) == width for cells in self.records) / len(self.records)


def find(start: Start, path: Path) -> Dialect | None:
    """The dialect of a text, or None when it has no rows.

    Raises:
        DataError: D11 with the line of a quote that is not closed properly.
    """
    reading = _best_reading(start, path)
    if reading is None:
        return None
    first, *rest = reading.records
    header = is_header(first, rest)
    names, repeated = columns(first, header=header, width=reading.width)
    return Dialect(
        delimiter=reading.delimiter,
        quoted=reading.quoted,
        names=names,
        header=header,
        repeated=repeated,
    )


def records(lines: Iterable[str], delimiter: str, *, quoted: bool) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not blank and the line on which it starts.

    Raises:
        QuoteError: a quoted field does not end as it should.
    """
    reader = _reader(lines, delimiter, quoted)
    start = 1
    try:
        for cells in reader:
            if cells and (cells[0] or any(cells)):
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise QuoteError(start, at_end="end of data" in str(error)) from error


def _reader(lines: Iterable[str], delimiter: str, quoted: bool) -> _Reader:
    # The limit is one for the whole process. It is raised and not put back: others may be reading.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
    return csv.reader(
        lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE, strict=quoted
    )


def _best_reading(start: Start, path: Path) -> _Reading | None:
    first = start.text.lstrip("\r\n").split("\n", 1)[0]
    present = [delimiter for delimiter in DELIMITERS if delimiter in first] or [","]
    readings, failures = [], []
    for delimiter in present:
        try:
            readings.append(_read(start, delimiter))
        except QuoteError as error:
            failures.append(error.line)
    readings = [reading for reading in readings if reading.records]
    if not readings:
        if failures:
            raise DataError("D11", file=path, line=min(failures))
        return None
    return max(readings, key=lambda reading: (reading.width > 1, reading.regularity))


def _read(start: Start, delimiter: str) -> _Reading:
    """Quoted if that is well formed and as regular as the text taken without quoting."""
    plain = _Reading(delimiter=delimiter, quoted=False, records=_all(start, delimiter, False))
    if '"' not in start.text:
        # Quotes may come later: behind so many tabs without one, they are text.
        return _Reading(delimiter=delimiter, quoted=start.whole or delimiter != "\t", records=plain.records)
    try:
        quoted = _Reading(delimiter=delimiter, quoted=True, records=_all(start, delimiter, True))
    except QuoteError:
        if plain.width > 1 and plain.regularity == 1:
            return plain
        raise
    if plain.width > 1 and plain.regularity == 1 and (not quoted.records or quoted.regularity < 1):
        return plain
    return quoted


def _all(start: Start, delimiter: str, quoted: bool) -> list[list[str]]:
    """The records of the beginning; one that goes on behind it is left out."""
    try:
        return list(filter(any, _reader(io.StringIO(start.text, newline=""), delimiter, quoted)))
    except csv.Error:
        return _until_end(start, delimiter)


def _until_end(start: Start, delimiter: str) -> list[list[str]]:
    """The same with quotes, where something is wrong or the last record is cut."""
    found: list[list[str]] = []
    try:
        for _, cells in records(io.StringIO(start.text, newline=""), delimiter, quoted=True):
            found.append(cells)
    except QuoteError as error:
        cut = sum(map(len, islice(io.StringIO(start.text, newline=""), error.line - 1, None)))
        if start.whole or not error.at_end or cut > _LONGEST_CUT:
            raise
    return found


def is_header(first: list[str], rows: list[list[str]]) -> bool:
    """Whether the first line names columns: a known name says yes; what looks like a value says no."""
    if any(cell.strip().casefold() in KNOWN for cell in first):
        return True
    return not any(_is_value(cell.strip(), i, rows) for i, cell in enumerate(first) if cell.strip())


def _is_value(cell: str, position: int, rows: list[list[str]]) -> bool:
    if _NUMBER.fullmatch(cell) or len(cell) > _LONGEST_NAME or cell[-1] in ".?!。？！":
        return True
    return any(position < len(row) and row[position].strip() == cell for row in rows)


def columns(first: list[str], *, header: bool, width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the columns, and those that the header repeats: a second `text` becomes `text_2`."""
    if not header:
        return tuple(f"column_{i + 1}" for i in range(width)), ()
    names: list[str] = []
    repeated: list[str] = []
    for position, cell in enumerate(first, 1):
        wanted = name = cell.strip() or f"column_{position}"
        number = 1
        while name in names:
            number += 1
            name = f"{wanted}_{number}"
        if number > 1:
            repeated.append(wanted)
        names.append(name)
    return tuple(names), tuple(repeated)
