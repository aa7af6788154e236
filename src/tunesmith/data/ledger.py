"""The account of every input row: used, a duplicate, dropped for a reason, or held out for a split.

A ledger is a value: each operation returns a new one. Rows are numbered from 0 in the order of the files.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.core import durable
from tunesmith.core.errors import DataError, NotFoundError

SCHEMA = {
    "row": pl.Int64,
    "file": pl.String,
    "line": pl.Int64,
    "state": pl.String,
    "reason": pl.String,
    "hash": pl.String,
    "truncated": pl.Int64,
    "duplicate_of": pl.Int64,
    "split": pl.String,
    "part_of": pl.Int64,
}
"""The columns of ledger.parquet.

`truncated` counts tokens; `hash` is the BLAKE2b-128 of the row as read. A line of plain text that continues a
paragraph is `part_of` the row on which the paragraph begins, and ends where that ends.
"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where every row ended. Used rows are those of the split `train`."""

    frame: pl.DataFrame

    @classmethod
    def of(cls, files: Sequence[str], lines: Sequence[int], hashes: Sequence[str | None]) -> Ledger:
        """All rows used; one entry for each row in every argument."""
        count = len(files)
        frame = pl.DataFrame(
            {
                "row": range(count),
                "file": files,
                "line": lines,
                "state": ["used"] * count,
                "reason": [None] * count,
                "hash": hashes,
                "truncated": [0] * count,
                "duplicate_of": [None] * count,
                "split": ["train"] * count,
                "part_of": [None] * count,
            },
            schema=SCHEMA,
        )
        return cls(frame)

    @classmethod
    def load(cls, path: Path) -> Ledger:
        """Read what `write` wrote.

        Raises:
            NotFoundError: D01 when there is no such file.
            DataError: D17 when it is not a ledger.
        """
        if not path.is_file():
            raise NotFoundError("D01", file=path)
        try:
            frame = pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError("D17", file=path) from error
        if dict(frame.schema) != SCHEMA:
            raise DataError("D17", file=path)
        return cls(frame)

    def write(self, path: Path) -> None:
        """Write ledger.parquet durably."""
        buffer = io.BytesIO()
        self.frame.write_parquet(buffer)
        durable.write_bytes(path, buffer.getvalue())

    def drop(self, rows: Iterable[int], reason: str) -> Ledger:
        """Rows that are not used, and why."""
        return self._move(rows, ("used", "held_out"), state="dropped", reason=reason, split=None)

    def duplicates(self, repeats: Mapping[int, int]) -> Ledger:
        """Rows that repeat others: row to the row it repeats."""
        moved = self._move(repeats, ("used", "held_out"), state="duplicate", split=None)
        return moved._put("duplicate_of", repeats)

    def hold_out(self, rows: Iterable[int], split: str) -> Ledger:
        """Rows that are kept from training, for `split`."""
        return self._move(rows, ("used",), state="held_out", split=split)

    def truncate(self, tokens: Mapping[int, int]) -> Ledger:
        """Used rows that were cut, by how many tokens each."""
        self._expect(tokens, ("used",))
        return self._put("truncated", tokens)

    def ids(self, rows: Iterable[int]) -> dict[int, int]:
        """A number of 63 bits for each row, the same for what was read the same from whatever file.

        Rows that repeat each other have different ones, in their order.
        """
        chosen = self.frame.filter(pl.col("row").is_in(list(rows))).sort("row")
        times = chosen.select("row", "hash", time=pl.int_range(pl.len()).over("hash"))
        return {row: _number(f"{content} {time}") for row, content, time in times.iter_rows()}

    def summary(self) -> dict[str, Any]:
        """The counts of the command line contract; truncated rows are among the used.

        Raises:
            ValueError: when the counts do not add up to the rows read.
        """
        counts = dict(self.frame["state"].value_counts().iter_rows())
        used = pl.col("state") == "used"
        said = {
            "read": self.frame.height,
            "used": counts.get("used", 0),
            "truncated": self.frame.filter(used & (pl.col("truncated") > 0)).height,
            "duplicate": counts.get("duplicate", 0),
            "dropped": self._by("dropped", "reason"),
            "held_out": self._by("held_out", "split"),
        }
        parts = sum(said["dropped"].values()) + sum(said["held_out"].values())
        if said["read"] != said["used"] + said["duplicate"] + parts:
            raise ValueError(f"the ledger does not add up: {said}")
        return said

    def _by(self, state: str, column: str) -> dict[str, int]:
        counts = self.frame.filter(pl.col("state") == state)[column].value_counts().sort(column)
        return {name: count for name, count in counts.iter_rows() if name is not None}

    def _move(self, rows: Iterable[int], allowed: tuple[str, ...], **values: str | None) -> Ledger:
        chosen = list(rows)
        self._expect(chosen, allowed)
        here = pl.coalesce("part_of", "row").is_in(chosen)
        changes = {
            name: pl.when(here).then(pl.lit(value, pl.String)).otherwise(pl.col(name))
            for name, value in values.items()
        }
        return Ledger(self.frame.with_columns(**changes))

    def _put(self, column: str, values: Mapping[int, int]) -> Ledger:
        cells = pl.col("row").replace_strict(
            list(values), list(values.values()), default=pl.col(column), return_dtype=pl.Int64
        )
        return Ledger(self.frame.with_columns(cells.alias(column))) if values else self

    def _expect(self, rows: Iterable[int], allowed: tuple[str, ...]) -> None:
        """Refuse rows that do not exist or already ended elsewhere: that would count them twice."""
        chosen = list(rows)
        if chosen and (min(chosen) < 0 or max(chosen) >= self.frame.height):
            raise ValueError(f"rows outside 0..{self.frame.height - 1}")
        states = set(self.frame["state"].gather(chosen).to_list())
        if not states <= set(allowed):
            raise ValueError(f"rows are already {', '.join(sorted(states - set(allowed)))}")


def _number(said: str) -> int:
    digest = hashlib.blake2b(said.encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def added(summaries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The counts of several ledgers together."""
    total: dict[str, Any] = {}
    for summary in summaries:
        for name, count in summary.items():
            if isinstance(count, Mapping):
                inner = total.setdefault(name, {})
                for key, own in count.items():
                    inner[key] = inner.get(key, 0) + own
            else:
                total[name] = total.get(name, 0) + count
    return total
