"""Excel workbooks: the first sheet that holds a table. Cells are text, as in CSV; whole numbers stay whole.

A sheet is in memory as a whole: the format ends at about a million rows.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tunesmith.core.errors import DataError, Problem
from tunesmith.data.readers import dialect
from tunesmith.data.table import RawTable, some

_ZIP, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_INSIDE = {"xl/workbook.xml", "xl/workbook.bin"}


def is_workbook(path: Path, start: bytes) -> bool:
    """Whether a file is a workbook, by what it contains and, for the old format, by its name."""
    if start.startswith(_OLD):
        return path.suffix.lower() == ".xls"
    try:
        return start.startswith(_ZIP) and bool(_INSIDE & set(zipfile.ZipFile(path).namelist()))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Excel:
    """The table of a workbook, and a note when there are other sheets."""

    path: Path
    frame: pl.DataFrame
    lines: tuple[int, ...]
    header: bool
    repeated: tuple[str, ...]
    notes: tuple[Problem, ...]

    def batches(self, size: int) -> Iterator[RawTable]:
        """The rows in batches of about `size` bytes in memory."""
        rows = max(1, int(size * self.frame.height / max(1, self.frame.estimated_size())))
        for start in range(0, self.frame.height, rows):
            yield RawTable(
                path=self.path,
                frame=self.frame.slice(start, rows),
                lines=self.lines[start : start + rows],
                format="excel",
                header=self.header,
                repeated=self.repeated,
            )


def open_workbook(path: Path) -> Excel:
    """The first sheet with at least two rows and two columns; without one, the first that is not empty.

    Raises:
        DataError: D02 when all sheets are empty, D03 when it cannot be read.
    """
    import fastexcel

    try:
        reader = fastexcel.read_excel(path)
        sheets = [
            (name, reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars())
            for name in reader.sheet_names
        ]
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise DataError("D03", file=path, reason="excel") from error
    filled = [(name, rows) for name, frame in sheets if (rows := _filled(frame)).height]
    if not filled:
        raise DataError("D02", file=path, line=1)
    tables = [item for item in filled if item[1].height > 1 and item[1].width > 2]
    name, chosen = (tables or filled)[0]
    return _table(path, chosen, _notes(path, name, [other for other, _ in filled if other != name]))


def _filled(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows and columns in which there is something; `row` is the number of each row in the sheet."""
    columns = [column for column in frame if column.str.len_bytes().sum()]
    if not columns:
        return pl.DataFrame()
    rows = pl.DataFrame(columns).with_row_index("row", offset=1)
    return rows.filter(pl.any_horizontal(pl.exclude("row").str.len_bytes() > 0))


def _table(path: Path, rows: pl.DataFrame, notes: tuple[Problem, ...]) -> Excel:
    cells = rows.drop("row")
    first, *rest = [[cell or "" for cell in row] for row in cells.rows()]
    header = dialect.is_header(first, rest)
    names, repeated = dialect.columns(first, header=header, width=cells.width)
    below = rows.slice(int(header))
    return Excel(
        path=path,
        frame=below.drop("row").rename(dict(zip(cells.columns, names, strict=True))),
        lines=tuple(below["row"].to_list()),
        header=header,
        repeated=repeated,
        notes=notes,
    )


def _notes(path: Path, name: str, others: list[str]) -> tuple[Problem, ...]:
    values = {"sheet": name, "count": len(others), "others": some(others)}
    return (Problem(code="D40", file=str(path), values=values),) if others else ()
