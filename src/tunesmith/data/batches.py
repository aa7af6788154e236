"""A batch of a file on its way: numbered, mapped to its shape, hashed, and sent through function cleaners."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tunesmith.core.chosen import Component
from tunesmith.core.recipe import Data
from tunesmith.data.cleaning import Batch, clean
from tunesmith.data.loading import Loading, Source
from tunesmith.data.mapping import texts
from tunesmith.data.numbering import Numbers, hashes, number
from tunesmith.data.readers.json_value import encode
from tunesmith.data.sources import WHOLE
from tunesmith.data.table import RawTable

GROUP, TIME = "_group", "_time"
"""Columns beside those of the shape, for dividing rows."""

REST = "_rest"
"""The cells of a row that the shape has no place for, as the JSON text of an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A batch of a file, mapped and cleaned."""

    source: Source
    table: RawTable
    numbers: Numbers
    hashes: NDArray[np.uint8]
    bad: pl.DataFrame  # [_at, _bad]: which rows of the table cannot be used, and why
    batch: Batch


def started(loading: Loading) -> Iterator[tuple[Source, RawTable, int]]:
    """Batches with the ledger number of their first row."""
    start = 0
    for source, table in loading.batches():
        yield source, table, start
        start += table.read


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is done to every batch. `keep` adds the column `REST`."""

    cleaners: Sequence[Component]
    data: Data
    keep: bool


def work(job: Job, given: tuple[Source, RawTable, int]) -> Done:
    """A batch of a file, whose first ledger number is given, mapped and cleaned; rows that are bad are told.

    Rows without a label are for the cleaner `drop_unlabelled` when it is asked for.
    """
    source, table, start = given
    data = job.data
    numbers = number(table, start)
    frame = source.mapper(table).with_columns(pl.Series("_row", numbers.rows, dtype=pl.Int64))
    if job.keep:
        frame = frame.with_columns(_rest(source, table, frame.columns))
    for name, column in ((GROUP, data.split.group), (TIME, data.split.time)):
        if column is not None:
            there = source.split in (WHOLE, "train") and column in table.frame.columns
            frame = frame.with_columns(
                (texts(table, column) if there else pl.lit(None, pl.String)).alias(name)
            )
    label = next((name for name in ("label", "labels") if name in frame.columns), None)
    if label is not None and all(c.name != "drop_unlabelled" for c in data.clean):
        unlabelled = pl.when(pl.col(label).is_null()).then(pl.lit("unlabelled"))
        frame = frame.with_columns(pl.coalesce("_bad", unlabelled).alias("_bad"))
    frame = frame.with_row_index("_at")
    is_bad = pl.col("_bad").is_not_null()
    return Done(
        source=source,
        table=table,
        numbers=numbers,
        hashes=hashes(table),
        bad=frame.filter(is_bad).select("_at", "_bad"),
        batch=clean(frame.filter(~is_bad).drop("_bad", "_at"), job.cleaners),
    )


def _rest(source: Source, table: RawTable, shape: Sequence[str]) -> pl.Series:
    """What each row's layout did not take; a cell that is called like a column of the shape gets a number."""
    taken = source.mapper.columns_taken(table)
    names = [name for name in table.frame.columns if any(name not in columns for columns in set(taken))]
    if not names:
        return pl.Series(REST, ["{}"], dtype=pl.String).new_from_index(0, len(table.lines))
    known = {*shape, *table.frame.columns}
    called = [_free_name(name, known) if name in shape else name for name in names]
    cells = zip(*(table.values(name) for name in names), strict=True)
    pairs = list(zip(names, called, strict=True))
    texts = [
        encode(
            {
                new: _told(cell)
                for (name, new), cell in zip(pairs, row, strict=True)
                if _stays(name, cell, own)
            }
        )
        for row, own in zip(cells, taken, strict=True)
    ]
    return pl.Series(REST, texts, dtype=pl.String)


def _stays(name: str, cell: Any, taken: frozenset[str]) -> bool:
    return cell is not None and name not in taken


def _told(cell: Any) -> Any:
    """A cell as JSON can hold it: it has no words for numbers that are not finite."""
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _free_name(name: str, known: Container[str]) -> str:
    """The name with the first number that makes it one of its own."""
    return next(new for i in count(1) if (new := f"{name}_{i}") not in known)
