"""The numbers of a batch's rows in the ledger: every line that is or was meant as a row has one, in order."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tunesmith.data.account import HASH_BYTES, Rows
from tunesmith.data.table import RawTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The ledger row of each table row, broken and blank line of a batch; line and head of each ledger row.

    The head of a line that continues a paragraph is the paragraph's first row; of others the row itself.
    """

    rows: Rows
    broken: Rows
    blank: Rows
    lines: Rows
    part_of: Rows


def number(table: RawTable, start: int) -> Numbers:
    """Number everything that was read for a batch from `start` on."""
    broken = [item.line for item in table.broken]
    lines = np.array([*table.lines, *broken, *table.blank], np.int64)
    sizes = np.ones(len(lines), np.int64)
    if table.spans is not None:
        sizes[: len(table.spans)] = table.spans
    order = np.argsort(lines, kind="stable")
    places = np.empty(len(lines), np.int64)
    places[order] = start + np.cumsum(sizes[order]) - sizes[order]
    heads = np.repeat(places[order], sizes[order])
    ahead = start + np.arange(len(heads)) - heads  # lines after the first of a paragraph
    rows, bad, blank = np.split(places, [len(table.lines), len(table.lines) + len(broken)])
    return Numbers(
        rows=rows, broken=bad, blank=blank, lines=np.repeat(lines[order], sizes[order]) + ahead, part_of=heads
    )


def hashes(table: RawTable) -> NDArray[np.uint8]:
    """The BLAKE2b-128 of each row's cells as they were read [rows, 16]; cells that are null do not count.

    A cell counts the same whatever other cells its column holds, so batches of any size agree.
    """
    cells = []
    for name in sorted(table.frame.columns):
        text = _as_read(table, name)
        cells.append(pl.when(text.is_not_null()).then(pl.concat_str(pl.lit(name + "\x1e"), text)))
    if not cells:
        return np.zeros((table.frame.height, HASH_BYTES), np.uint8)
    joined = pl.select(pl.concat_str(*cells, separator="\x1f", ignore_nulls=True)).to_series()
    rows = joined.cast(pl.Binary).to_list()
    digests = [hashlib.blake2b(row, digest_size=HASH_BYTES).digest() for row in rows]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, HASH_BYTES)


def _as_read(table: RawTable, name: str) -> pl.Series:
    column = table.frame[name]
    if name in table.nested or column.dtype.is_float():
        return pl.Series([_plain(cell) for cell in table.values(name)], dtype=pl.String)
    return column.cast(pl.String)


def _plain(cell: Any) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return json.dumps(cell, ensure_ascii=False)
