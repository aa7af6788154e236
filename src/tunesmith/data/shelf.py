"""Batches of rows put on disk in order and read again one by one: memory holds one at a time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from tunesmith.core import durable

# Rows of a Parquet file that are gathered before they are written: more of them only need more memory.
_ROW_GROUP = 20_000


class Shelf:
    """Batches with the same columns. The folder is its own, and goes with `remove`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._files: list[Path] = []

    def add(self, frame: pl.DataFrame) -> None:
        """Put a batch behind the others; the first tells the columns, and later ones need rows."""
        if frame.is_empty() and self._files:
            return
        path = self.folder / f"{len(self._files):08d}.arrow"
        frame.write_ipc(path, compression="lz4")
        self._files.append(path)

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The batches in order, or some of their columns."""
        for path in self._files:
            yield pl.read_ipc(path, columns=None if columns is None else list(columns))

    def read(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """All batches as one table; for columns that are small."""
        return pl.concat(self.frames(columns)) if self._files else pl.DataFrame()

    def write_parquet(self, path: Path) -> None:
        """All batches as one Parquet file, written durably, without having them in memory."""
        with durable.new_file(path) as temporary:
            # Columns that some batches lack, or hold in another kind, find a common form.
            parts = pl.concat([pl.scan_ipc(path) for path in self._files], how="diagonal_relaxed")
            parts.sink_parquet(temporary, compression="zstd", compression_level=1, row_group_size=_ROW_GROUP)

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
