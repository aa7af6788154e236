"""Tables for people: no cell of them is run as a formula."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tunesmith.data.writers.delimited import Delimited


@pytest.mark.parametrize("escaped", [True, False])
def test_names_of_columns_are_cells_too(tmp_path: Path, escaped: bool) -> None:
    columns = ("text", "=cmd|'/C calc'!A0")
    path = tmp_path / "t.csv"
    table = Delimited(path, columns, delimiter=",", header=True, escaped=escaped)
    table.add([{"text": "@SUM(A1)", columns[1]: "-3.5"}])
    table.close()
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    mark = "'" if escaped else ""
    assert rows == [["text", f"{mark}{columns[1]}"], [f"{mark}@SUM(A1)", "-3.5"]]
