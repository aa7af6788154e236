"""The ledger while rows stream by: a few numbers a row, changed in place, turned into a `Ledger` at the end.

Rows are numbered from 0 in the order of files and lines. A line of plain text that continues a paragraph is a
row too: it is part of the paragraph's first row and ends where that ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tunesmith.data.ledger import SCHEMA, Ledger
from tunesmith.data.shelf import Shelf

Rows = NDArray[np.int64]
HASH_BYTES = 16
_USED, _DUPLICATE, _DROPPED, _HELD_OUT = range(4)
_STATES = ("used", "duplicate", "dropped", "held_out")
_SLICE = 200_000
# 27 bytes a row, and 4 more where lines continue others: this is what grows with the data.
_COLUMNS: dict[str, tuple[type[np.generic], int]] = {
    "line": (np.uint32, 0),
    "state": (np.int8, 0),
    "name": (np.int16, 0),  # of the reason, or of the split
    "duplicate_of": (np.uint32, 0),
    "hash": (np.uint8, HASH_BYTES),
}


class Account:
    """Where every row that was read has ended so far; `used` until something else is said."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._starts: list[int] = []  # the first row of each file
        self._count = 0
        self._names: list[str] = []
        self._arrays: dict[str, NDArray[Any]] = {
            name: np.zeros((0, width) if width else 0, dtype) for name, (dtype, width) in _COLUMNS.items()
        }

    def __len__(self) -> int:
        return self._count

    def open(self, file: str) -> int:
        """Rows that are added from now on are those of `file`; its number."""
        self.files.append(file)
        self._starts.append(self._count)
        return len(self.files) - 1

    def add(self, lines: Rows, part_of: Rows) -> None:
        """The next rows: their lines, and the rows they continue (their own number when none)."""
        start, end = self._count, self._count + len(lines)
        own = np.arange(start, end)
        if "part_of" not in self._arrays and not np.array_equal(part_of, own):
            self._arrays["part_of"] = np.arange(len(self._arrays["state"]), dtype=np.uint32)
        self._reserve(end)
        self._arrays["line"][start:end] = lines
        if "part_of" in self._arrays:
            self._arrays["part_of"][start:end] = part_of
        self._count = end

    def _reserve(self, count: int) -> None:
        if count <= len(self._arrays["state"]):
            return
        for name, array in self._arrays.items():
            # A quarter more, so that adding n rows copies about 5 n and little stays empty.
            grown = np.zeros((max(count, len(array) * 5 // 4), *array.shape[1:]), array.dtype)
            grown[: self._count] = array[: self._count]
            self._arrays[name] = grown

    def identify(self, rows: Rows, hashes: NDArray[np.uint8]) -> None:
        """The hashes [rows, 16] of rows with content."""
        self._arrays["hash"][rows] = hashes

    def drop(self, rows: Sequence[int] | Rows, reason: str) -> None:
        """Rows that are not used, and why."""
        self._end(rows, _DROPPED, reason)

    def duplicates(self, rows: Rows, of: Rows) -> None:
        """Rows that repeat other rows."""
        self._end(rows, _DUPLICATE, "")
        self._arrays["duplicate_of"][rows] = of

    def hold_out(self, rows: Rows, split: str) -> None:
        """Rows that are kept from training, for `split`."""
        self._end(rows, _HELD_OUT, split)

    def _end(self, rows: Sequence[int] | Rows, state: int, name: str) -> None:
        """Refuses rows that already ended elsewhere: that would count them twice."""
        chosen = np.asarray(rows, np.int64)
        if (self._arrays["state"][chosen] % _HELD_OUT != _USED).any():
            raise ValueError(f"rows end twice: {name or _STATES[state]}")
        self._arrays["state"][chosen] = state
        self._arrays["name"][chosen] = self._code(name)

    def _code(self, name: str) -> int:
        if name not in self._names:
            self._names.append(name)
        return self._names.index(name)

    def used(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of a frame that did not end elsewhere; those held out are among them."""
        state = self._arrays["state"][frame["_row"].to_numpy()]
        return frame.filter(pl.Series(state % _HELD_OUT == _USED))

    def hashes(self, rows: Rows) -> list[str]:
        """The hashes of rows, in hexadecimal."""
        raw = self._arrays["hash"][rows].tobytes()
        return [raw[i : i + HASH_BYTES].hex() for i in range(0, len(raw), HASH_BYTES)]

    def files_of(self, rows: Rows) -> NDArray[np.int64]:
        """The index of the file of each row."""
        # Of files without rows, which begin where the next one does, the last is that of the row.
        return np.searchsorted(np.asarray(self._starts), rows, side="right") - 1

    def place(self, row: int) -> tuple[str, int]:
        """File and line of a row."""
        return self.files[self.files_of(np.array([row]))[0]], int(self._arrays["line"][row])

    def _heads(self, rows: Rows) -> Rows:
        """The rows that these are part of; the same where they are part of none."""
        return self._arrays["part_of"][rows].astype(np.int64) if "part_of" in self._arrays else rows

    def summary(self) -> dict[str, Any]:
        """The counts of the ledger, see `Ledger.summary`."""
        heads = self._heads(np.arange(self._count))
        kinds = np.stack([self._arrays["state"][heads].astype(np.int64), self._arrays["name"][heads]])
        pairs, counts = np.unique(kinds, axis=1, return_counts=True)
        told: dict[int, dict[str, int]] = {code: {} for code in range(len(_STATES))}
        for (state, name), rows in zip(pairs.T.tolist(), counts.tolist(), strict=True):
            named = self._names[name] if state in (_DROPPED, _HELD_OUT) else ""
            told[state][named] = told[state].get(named, 0) + rows
        return {
            "read": self._count,
            "used": sum(told[_USED].values()),
            "truncated": 0,
            "duplicate": sum(told[_DUPLICATE].values()),
            "dropped": dict(sorted(told[_DROPPED].items())),
            "held_out": dict(sorted(told[_HELD_OUT].items())),
        }

    def ledger(self) -> Ledger:
        """The account as a value."""
        parts = list(self._slices())
        return Ledger(pl.concat(parts) if parts else pl.DataFrame(schema=SCHEMA))

    def write(self, path: Path, spill: Path) -> None:
        """Write ledger.parquet durably, a part at a time; `spill` is a folder it may use."""
        parts = Shelf(spill)
        parts.add(pl.DataFrame(schema=SCHEMA))
        for part in self._slices():
            parts.add(part)
        parts.write_parquet(path)
        parts.remove()

    def _slices(self) -> Iterator[pl.DataFrame]:
        for start in range(0, self._count, _SLICE):
            yield self._frame(np.arange(start, min(start + _SLICE, self._count)))

    def _frame(self, rows: Rows) -> pl.DataFrame:
        heads = self._heads(rows)
        known = {
            "row": rows,
            "file": pl.Series(self.files).gather(self.files_of(rows)),
            "line": self._arrays["line"][rows],
            "state": pl.Series(_STATES).gather(self._arrays["state"][heads]),
            "name": pl.Series(self._names or [""]).gather(self._arrays["name"][heads]),
            "hash": self.hashes(rows),
            "has_hash": self._arrays["hash"][rows].any(axis=1),
            "duplicate_of": self._arrays["duplicate_of"][heads],
            "head": heads,
        }
        state = pl.col("state")
        told = pl.DataFrame(known).select(
            "row", "file", "line", "state",
            reason=pl.when(state == "dropped").then("name"),
            hash=pl.when("has_hash").then("hash"),
            truncated=pl.lit(0, pl.Int64),
            duplicate_of=pl.when(state == "duplicate").then("duplicate_of"),
            split=pl.when(state == "used").then(pl.lit("train")).when(state == "held_out").then("name"),
            part_of=pl.when(pl.col("head") != pl.col("row")).then("head"),
        )  # fmt: skip
        return told.cast(SCHEMA)  # type: ignore[arg-type]
