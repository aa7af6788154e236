"""Rows as an Excel workbook. Every cell is stored as text, so that none is run as a formula or a link."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tunesmith.data.layouts.layout import Row, UnfitError
from tunesmith.data.writers.delimited import cell_of, check_lists

# Limits of the format.
_ROWS = 1_048_576
_CHARACTERS = 32_767


class Sheet:
    """One sheet with a header."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        import xlsxwriter

        # A workbook in constant memory keeps no row once the next one begins.
        self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
        self._sheet = self._book.add_worksheet()
        self._columns = columns
        self._written = 0
        self._checked = 1  # the header
        self._write(columns)

    def check(self, row: Row) -> None:
        """Refuse what is too much for the format.

        Raises:
            UnfitError: separator, cell_length, sheet_length.
        """
        check_lists(row)
        if self._checked >= _ROWS:
            raise UnfitError("sheet_length")
        # Excel counts UTF-16 units.
        if any(len(cell_of(cell).encode("utf-16-le")) > 2 * _CHARACTERS for cell in row.values()):
            raise UnfitError("cell_length")
        self._checked += 1

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        for row in rows:
            self._write([cell_of(row.get(column)) for column in self._columns])

    def close(self) -> None:
        """Write the workbook."""
        self._book.close()

    def _write(self, cells: Sequence[str]) -> None:
        for at, cell in enumerate(cells):
            if cell:
                self._sheet.write_string(self._written, at, cell)
        self._written += 1
