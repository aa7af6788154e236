"""That what was put into files comes out again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from tunesmith.data.spill import KeyFile, TextFile


def test_texts_are_read_again_by_place(tmp_path: Path) -> None:
    file = TextFile(tmp_path / "texts")
    file.add(pl.Series(["one", "", "三个字"]))
    file.add(pl.Series(["😀 last"]))
    sizes = file.sizes()
    starts = np.cumsum(sizes) - sizes
    wanted = np.array([3, 2, 1, 2])
    assert file.read(starts[wanted], sizes[wanted]).to_list() == ["😀 last", "三个字", "", "三个字"]
    file.close()


def test_columns_of_blocks_are_joined(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys")
    whole = np.arange(30, dtype=np.uint32).reshape(3, 10)
    for block in (whole[:, :4], whole[:, 4:5], whole[:, 5:]):
        file.add(block)
    assert [file.column(number).tolist() for number in range(3)] == whole.tolist()
    file.close()


def test_without_blocks_a_column_is_empty(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys")
    assert file.column(0).tolist() == []
    file.close()
