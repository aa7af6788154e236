"""Batches lie on disk in order, and become one file even where their columns differ."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tunesmith.data.shelf import Shelf


def test_batches_come_back_in_their_order(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "rows")
    for start in (0, 3, 6):
        shelf.add(pl.DataFrame({"a": range(start, start + 3), "b": ["x", "y", "z"]}))
    shelf.add(pl.DataFrame({"a": [], "b": []}, schema={"a": pl.Int64, "b": pl.String}))
    assert [frame["a"].to_list() for frame in shelf.frames(["a"])] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    shelf.write_parquet(tmp_path / "all.parquet")
    assert pl.read_parquet(tmp_path / "all.parquet")["a"].to_list() == list(range(9))
    shelf.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["all.parquet"]


def test_columns_of_other_kinds_and_missing_ones_find_a_common_form(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "rows")
    shelf.add(pl.DataFrame({"id": [1, 2], "text": ["a", "b"]}))
    shelf.add(pl.DataFrame({"id": ["x"], "text": ["c"], "more": [1.5]}))
    shelf.write_parquet(tmp_path / "all.parquet")
    written = pl.read_parquet(tmp_path / "all.parquet")
    assert written.rows() == [("1", "a", None), ("2", "b", None), ("x", "c", 1.5)]
