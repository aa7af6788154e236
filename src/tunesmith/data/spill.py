"""Files that hold, for a while, what does not fit the memory: texts by number, and columns of keys."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import numpy as np
import polars as pl
from numpy.typing import NDArray


class TextFile:
    """Texts one after the other in a file; any of them can be read again, by several threads."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._lock = Lock()
        self._sizes: list[NDArray[np.uint32]] = []

    def add(self, texts: pl.Series) -> None:
        """Append texts, none of them null."""
        self._file.write(str(texts.str.join().item()).encode())
        self._sizes.append(texts.str.len_bytes().to_numpy().astype(np.uint32))

    def sizes(self) -> NDArray[np.int64]:
        """The bytes of each text."""
        return np.concatenate([np.zeros(0, np.uint32), *self._sizes]).astype(np.int64)

    def read(self, starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> pl.Series:
        """The texts which begin at these places of the file and have these sizes."""
        texts = []
        with self._lock:
            for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
                self._file.seek(start)
                texts.append(self._file.read(size).decode())
        return pl.Series(texts, dtype=pl.String)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class KeyFile:
    """Several columns of keys, appended in blocks of rows and read again one column at a time."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._blocks: list[int] = []
        self._columns = 0

    def add(self, keys: NDArray[np.uint32]) -> None:
        """Append a block; shape [columns, rows], with the same columns each time."""
        self._columns = len(keys)
        self._blocks.append(keys.shape[1])
        self._file.write(np.ascontiguousarray(keys).tobytes())

    def column(self, number: int) -> NDArray[np.uint32]:
        """The keys of one column, of all rows in order."""
        parts, start = [np.zeros(0, np.uint32)], 0
        for rows in self._blocks:
            self._file.seek(4 * (start + number * rows))
            parts.append(np.frombuffer(self._file.read(4 * rows), np.uint32))
            start += self._columns * rows
        return np.concatenate(parts)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
