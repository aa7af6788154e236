"""A sample of rows that does not depend on the size of batches: the rows of the lowest hashes stay.

(Bottom-k sampling, Cohen and Kaplan 2007.) Distinct values are estimated from the same kind of sketch.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

ROWS = 2_000
"""How many rows are sampled."""

_KEPT = 4_096
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class Sample:
    """At most `rows` rows of one schema, chosen by their numbers and a seed."""

    def __init__(self, schema: Mapping[str, pl.DataType], *, seed: int, rows: int = ROWS) -> None:
        self.rows = rows
        self._schema = dict(schema)
        self._seed = seed
        # Python values, not frames: a slice of a frame keeps all the texts of its batch in memory.
        self._kept: list[tuple[int, tuple[Any, ...]]] = []

    def add(self, frame: pl.DataFrame) -> None:
        """Take a batch into account; it has `_row`."""
        ranks = scrambled(frame["_row"].to_numpy(), self._seed)
        if len(self._kept) == self.rows:
            ranks = ranks[lower := ranks < self._kept[-1][0]]
            frame = frame.filter(lower)
        lowest = np.argsort(ranks)[: self.rows]
        chosen = frame.select(list(self._schema))[lowest].rows()
        self._kept += zip(ranks[lowest].tolist(), chosen, strict=True)
        self._kept = sorted(self._kept, key=itemgetter(0))[: self.rows]

    def frame(self) -> pl.DataFrame:
        """The rows sampled, in order."""
        rows = [row for _, row in self._kept]
        return pl.DataFrame(rows, schema=self._schema, orient="row").sort("_row")


class Distinct:
    """How many different values there are: exact below 4,096, above within about 1.6 %.

    (k minimum values, Bar-Yossef et al. 2002.)
    """

    def __init__(self) -> None:
        self._lowest = np.empty(0, dtype=np.uint64)

    def add(self, values: pl.Series) -> None:
        """Take values into account; nulls do not count."""
        hashes = np.unique(values.drop_nulls().hash().to_numpy())
        self._lowest = np.union1d(self._lowest, hashes)[:_KEPT]

    @property
    def is_exact(self) -> bool:
        """Whether every value was counted."""
        return len(self._lowest) < _KEPT

    def count(self) -> int:
        """The number of different values."""
        if self.is_exact:
            return len(self._lowest)
        return round((_KEPT - 1) / (int(self._lowest[-1]) / 2**64))


def scrambled(rows: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """A hash of each number (the finaliser of SplitMix64, Steele et al. 2014)."""
    offset = np.uint64((seed * int(_MIX[0]) + int(_MIX[0])) % 2**64)
    value = rows.astype(np.uint64) + offset
    value = (value ^ (value >> np.uint64(30))) * _MIX[1]
    value = (value ^ (value >> np.uint64(27))) * _MIX[2]
    return value ^ (value >> np.uint64(31))
