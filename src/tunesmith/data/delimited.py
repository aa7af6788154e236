"""CSV, TSV and their kin: delimiter, quoting and header found from the content; every row knows its line.

The delimiter is the one for which most rows have the same number (at least two) of fields. Quoting is that of
RFC 4180 unless the file is only rectangular when quotes are taken as text, as in many tab separated files.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tunesmith.core.errors import DataError
from tunesmith.data.names import KNOWN
from tunesmith.data.table import Broken, RawTable, build

DELIMITERS = (",", "\t", ";", "|")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """The records of a text under one delimiter, with their lines."""

    delimiter: str
    records: list[tuple[int, list[str]]]

    @property
    def width(self) -> int:
        """The number of fields most records have."""
        return Counter(len(cells) for _, cells in self.records).most_common(1)[0][0]

    @property
    def regularity(self) -> float:
        """The share of records with that number of fields."""
        width = self.width
        return sum(len(cells) == width for _, cells in self.records) / len(self.records)


def parse(text: str, path: Path, encoding: str) -> RawTable:
    """The table of a delimited text; no rows when it is empty or only a header.

    Raises:
        DataError: D11 with the line of a quote that is not closed properly.
    """
    reading = _best_reading(text, path)
    if reading is None:
        return _table(path, encoding, ",", None, (), [], [])
    first = reading.records[0][1]
    header = _is_header(first, [cells for _, cells in reading.records[1:]])
    if header:
        names, repeated = _unique(first)
    else:
        names, repeated = [f"column_{i + 1}" for i in range(reading.width)], ()
    records = reading.records[1:] if header else reading.records
    good = [record for record in records if len(record[1]) == len(names)]
    broken = [_ragged(*record, len(names)) for record in records if len(record[1]) != len(names)]
    return _table(path, encoding, reading.delimiter, header, repeated, names, good, broken)


def _table(
    path: Path,
    encoding: str,
    delimiter: str,
    header: bool | None,
    repeated: tuple[str, ...],
    names: list[str],
    records: list[tuple[int, list[str]]],
    broken: Sequence[Broken] = (),
) -> RawTable:
    cells = list(zip(*(cells for _, cells in records), strict=True)) or [()] * len(names)
    frame, _ = build(dict(zip(names, cells, strict=True)))
    return RawTable(
        path=path,
        frame=frame,
        lines=tuple(line for line, _ in records),
        format="tsv" if delimiter == "\t" else "csv",
        encoding=encoding,
        delimiter=delimiter,
        header=header,
        repeated=repeated,
        broken=tuple(broken),
    )


def _best_reading(text: str, path: Path) -> _Reading | None:
    start = text.lstrip("\r\n").split("\n", 1)[0]
    present = [delimiter for delimiter in DELIMITERS if delimiter in start] or [","]
    readings, failures = [], []
    for delimiter in present:
        try:
            readings.append(_read(text, delimiter))
        except _QuoteError as error:
            failures.append(error.line)
    readings = [reading for reading in readings if reading.records]
    if not readings:
        if failures:
            raise DataError("D11", file=path, line=min(failures))
        return None
    return max(readings, key=lambda reading: (reading.width > 1, reading.regularity))


class _QuoteError(Exception):
    """A quoted field that does not end as it should."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(line)


def _read(text: str, delimiter: str) -> _Reading:
    """Quoted if that is well formed and as regular as the text taken without quoting."""
    plain = _Reading(delimiter=delimiter, records=_records(text, delimiter, False))
    if '"' not in text:
        return plain
    try:
        quoted = _Reading(delimiter=delimiter, records=_records(text, delimiter, True))
    except _QuoteError:
        if plain.width > 1 and plain.regularity == 1:
            return plain
        raise
    if plain.width > 1 and plain.regularity == 1 > quoted.regularity:
        return plain
    return quoted


def _records(text: str, delimiter: str, quoted: bool) -> list[tuple[int, list[str]]]:
    lines = io.StringIO(text, newline="")
    reader = csv.reader(
        lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE, strict=quoted
    )
    found: list[tuple[int, list[str]]] = []
    start = 1
    with _long_fields():
        try:
            for cells in reader:
                if any(cells):
                    found.append((start, cells))
                start = reader.line_num + 1
        except csv.Error as error:
            raise _QuoteError(start) from error
    return found


@contextmanager
def _long_fields() -> Iterator[None]:
    """Lift the csv module's limit of 131,072 characters a field, which is one for the whole process."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _is_header(first: list[str], rows: list[list[str]]) -> bool:
    """Whether the first line names columns: a known name says yes; what looks like a value says no."""
    if any(cell.strip().casefold() in KNOWN for cell in first):
        return True
    return not any(_is_value(cell.strip(), i, rows) for i, cell in enumerate(first) if cell.strip())


def _is_value(cell: str, position: int, rows: list[list[str]]) -> bool:
    if _NUMBER.fullmatch(cell) or len(cell) > _LONGEST_NAME or cell[-1] in ".?!。？！":
        return True
    return any(position < len(row) and row[position].strip() == cell for row in rows)


def _unique(header: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Column names without repetition: a second `text` becomes `text_2`; an empty one gets its number."""
    names: list[str] = []
    repeated: list[str] = []
    for position, cell in enumerate(header, 1):
        wanted = name = cell.strip() or f"column_{position}"
        number = 1
        while name in names:
            number += 1
            name = f"{wanted}_{number}"
        if number > 1:
            repeated.append(wanted)
        names.append(name)
    return names, tuple(repeated)


def _ragged(line: int, cells: list[str], expected: int) -> Broken:
    return Broken(line=line, code="D10", values={"found": len(cells), "expected": expected})
