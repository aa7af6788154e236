"""Excel workbooks: the sheet with the table, its numbers, and a note about other sheets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import xlsxwriter

from tunesmith.core.errors import DataError
from tunesmith.data.reading import open_file, read

Rows = Sequence[Sequence[object]]


def workbook(path: Path, **sheets: Rows) -> Path:
    """A workbook with these sheets; None leaves a cell empty."""
    with xlsxwriter.Workbook(path) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    sheet.write(i, j, cell)
    return path


def test_the_first_table_is_read_and_other_sheets_are_mentioned(shared_data: Path) -> None:
    file = open_file(shared_data / "messy" / "sheet.xlsx")
    assert (file.format, file.header, file.sample.read) == ("excel", True, 60)
    assert [(note.code, note.values["others"]) for note in file.notes] == [("D40", "说明")]
    for lang in ("en", "zh"):
        assert "说明" in file.notes[0].as_dict(lang)["cause"]


def test_whole_numbers_stay_whole_and_rows_know_their_line(tmp_path: Path) -> None:
    rows: Rows = [[], ["id", "text", "score"], [1, "x", 0.5], [], [2, None, 3]]
    table = read(workbook(tmp_path / "a.xlsx", notes=[["only notes"]], data=rows))
    assert table.frame.rows() == [("1", "x", "0.5"), ("2", None, "3")]
    assert table.lines == (3, 5)


def test_an_empty_workbook_has_no_rows_and_another_archive_is_refused(tmp_path: Path) -> None:
    for path, code in ((workbook(tmp_path / "a.xlsx", data=[]), "D02"), (tmp_path / "b.xlsx", "D03")):
        if code == "D03":
            path.write_bytes(b"PK\x03\x04 and nothing that belongs here")
        with pytest.raises(DataError) as caught:
            read(path)
        assert caught.value.problems[0].code == code
