"""The rows of a file as they stand in it, in pieces on disk: any page of a million is read in milliseconds.

Every cell is text here, as it is shown. A piece holds one batch of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tunesmith.data.reading import BATCH_BYTES, open_file
from tunesmith.data.sources import SourceFile
from tunesmith.data.table import RawTable

LINE = "_line"
_LONGEST_CELL = 20_000


def write(
    files: Sequence[SourceFile], folder: Path, *, note: Callable[[int], None]
) -> tuple[list[int], list[str], int]:
    """Put the rows of files into pieces; how many rows each has, all columns, and how many lines are no row.

    `note` is told about how many bytes were read.
    """
    folder.mkdir(parents=True)
    counts: list[int] = []
    columns: dict[str, None] = {}
    broken = read = 0
    for table in (table for file in files for table in open_file(file).batches()):
        broken += len(table.broken)
        read += BATCH_BYTES
        if table.lines:
            columns |= dict.fromkeys(table.frame.columns)
            counts.append(_write(table, _piece(folder, len(counts))))
        note(read)
    return counts, [*columns], broken


def _write(table: RawTable, path: Path) -> int:
    cells = table.frame.select(pl.all().cast(pl.String, strict=False))
    frame = cells.with_columns(pl.Series(LINE, list(table.lines), dtype=pl.Int64))
    frame.write_parquet(path, compression="zstd", statistics=False)
    return len(frame)


def page(folder: Path, counts: Sequence[int], offset: int, limit: int) -> list[dict[str, Any]]:
    """Rows from `offset` on, each with its line."""
    found: list[dict[str, Any]] = []
    start = 0
    for number, count in enumerate(counts):
        if offset < start + count and len(found) < limit:
            frame = pl.read_parquet(_piece(folder, number))
            wanted = frame.slice(max(0, offset - start), limit - len(found))
            found += _shown(wanted)
        start += count
    return found


def search(
    folder: Path, counts: Sequence[int], words: str, offset: int, limit: int
) -> tuple[int, list[dict[str, Any]]]:
    """How many rows have these words in any cell, and those from the `offset`th of them on."""
    places = matching(folder, len(counts), words)
    starts = np.concatenate([[0], np.cumsum(counts)])
    wanted = places[offset : offset + limit]
    found: list[dict[str, Any]] = []
    for number in np.unique(np.searchsorted(starts, wanted, side="right") - 1):
        inside = wanted[(wanted >= starts[number]) & (wanted < starts[number + 1])] - starts[number]
        found += _shown(pl.read_parquet(_piece(folder, int(number)))[inside])
    return len(places), found


@lru_cache(maxsize=16)
def matching(folder: Path, pieces: int, words: str) -> NDArray[np.int64]:
    """The places of all rows that have these words in any cell, whatever their case."""
    places, start = [np.zeros(0, np.int64)], 0
    for frame in _pieces(folder, pieces):
        cells = pl.exclude(LINE).str.to_lowercase().str.contains(words.lower(), literal=True)
        hits = frame.select(pl.any_horizontal(cells.fill_null(value=False))).to_series()
        places.append(hits.arg_true().to_numpy().astype(np.int64) + start)
        start += len(frame)
    return np.concatenate(places)


def _pieces(folder: Path, count: int) -> Iterator[pl.DataFrame]:
    for number in range(count):
        yield pl.read_parquet(_piece(folder, number))


def _piece(folder: Path, number: int) -> Path:
    return folder / f"{number:05d}.parquet"


def _shown(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows for the page: very long cells are cut, which their end shows."""
    columns = [name for name in frame.columns if name != LINE]
    long = pl.col(columns).str.len_chars() > _LONGEST_CELL
    cut = pl.when(long).then(pl.col(columns).str.slice(0, _LONGEST_CELL) + "…").otherwise(pl.col(columns))
    cells = frame.with_columns(cut) if columns else frame
    return [{"line": row.pop(LINE), "cells": row} for row in cells.iter_rows(named=True)]
