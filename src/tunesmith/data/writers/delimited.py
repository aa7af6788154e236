"""Rows as CSV or TSV (RFC 4180), safe to open in a spreadsheet.

Spreadsheets run cells that begin with `=`, `+`, `-`, `@`, a tab or a carriage return as formulas. Where a
table is meant for people such a cell gets an apostrophe in front, as OWASP advises; plain numbers do not.
Nothing takes it away again when the file is read: the apostrophe is then part of the text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from tunesmith.data.layouts.layout import Row, UnfitError

SEPARATOR = "|"
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*%?")


class Delimited:
    """A table with the columns given; a list becomes `a|b`."""

    def __init__(
        self, path: Path, columns: Sequence[str], *, delimiter: str, header: bool, escaped: bool
    ) -> None:
        self._columns = columns
        self._escaped = escaped
        self._file = path.open("w", encoding="utf-8", newline="")
        # With quotes around every cell no reader can take another character for the delimiter.
        self._writer = csv.writer(
            self._file,
            delimiter=delimiter,
            lineterminator="\n",
            quoting=csv.QUOTE_ALL if header else csv.QUOTE_MINIMAL,
        )
        if header:
            self._writer.writerow(self._safe(columns))

    def check(self, row: Row) -> None:
        """Refuse labels that contain what divides labels.

        Raises:
            UnfitError: separator.
        """
        check_lists(row)

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        for row in rows:
            self._writer.writerow(self._safe([cell_of(row.get(column)) for column in self._columns]))

    def _safe(self, cells: Sequence[str]) -> Sequence[str]:
        return [escape(cell) for cell in cells] if self._escaped else cells

    def close(self) -> None:
        """End the file."""
        self._file.close()


def check_lists(row: Row) -> None:
    """Refuse labels that contain what divides labels.

    Raises:
        UnfitError: separator.
    """
    lists = (cell for cell in row.values() if isinstance(cell, list))
    if any(SEPARATOR in item for cell in lists for item in cell):
        raise UnfitError("separator")


def cell_of(value: object) -> str:
    """A value as the text of a cell."""
    if isinstance(value, list):
        return SEPARATOR.join(map(str, value))
    return "" if value is None else str(value)


def escape(cell: str) -> str:
    """A cell that no spreadsheet runs."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell
