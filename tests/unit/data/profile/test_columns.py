"""Raw columns: what they hold, told alike however the rows were cut into batches."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tunesmith.data.profile.columns import Columns
from tunesmith.data.reading import read
from tunesmith.data.table import RawTable, from_rows

ROWS = [
    {
        "id": str(i),
        "when": f"2024-01-{i % 28 + 1:02}",
        "price": f"{i}.5",
        "note": None if i % 4 else f"n{i % 3}",
    }
    for i in range(200)
]


def measured(rows: list[dict[str, str | None]], batch: int) -> list[dict[str, object]]:
    columns = Columns()
    for start in range(0, len(rows), batch):
        frame, nested = from_rows(rows[start : start + batch])
        lines = tuple(range(frame.height))
        columns.add(RawTable(path=Path("a"), frame=frame, lines=lines, format="csv", nested=nested))
    return columns.result()


@pytest.mark.parametrize("batch", [1, 7, 64, 200])
def test_columns_are_told_alike_in_batches_of_any_size(batch: int) -> None:
    assert measured(ROWS, batch) == measured(ROWS, 200)


def test_kind_missing_and_different_values() -> None:
    found = {column["name"]: column for column in measured(ROWS, 50)}
    assert [found[name]["type"] for name in ("id", "when", "price", "note")] == [
        "integer", "date", "number", "text",
    ]  # fmt: skip
    assert found["note"]["missing"] == 150
    assert found["note"]["distinct"] == 3
    assert found["id"]["distinct"] == 200


def test_a_column_that_a_batch_lacks_is_missing_there() -> None:
    found = measured([{"a": "x"}, {"a": "y"}, {"b": "z"}], 1)
    assert [(column["name"], column["missing"]) for column in found] == [("a", 1), ("b", 2)]


def test_real_columns_agree_with_polars(shared_data: Path) -> None:
    table = read(shared_data / "cls_banking77" / "train.csv")
    columns = Columns()
    columns.add(table)
    label = columns.result()[1]
    assert (label["name"], label["distinct"], label["missing"]) == ("category", 77, 0)
    assert pl.Series(label["examples"]).is_in(table.frame["category"].to_list()).all()
