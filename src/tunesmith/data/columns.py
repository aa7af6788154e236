"""Columns of the files that the shape of a task has no place for, read again for rows of the ledger."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import polars as pl

from tunesmith.core.errors import DataError
from tunesmith.core.recipe import Data
from tunesmith.core.registry import suggestion
from tunesmith.data.batches import started
from tunesmith.data.loading import Loading
from tunesmith.data.mapping import texts
from tunesmith.data.numbering import number


def known(data: Data, *, shape: str, base: Path) -> list[str]:
    """The columns of all files, sorted; of files that cannot be read none."""
    loading = Loading(data=data, shape=shape, base=base, head=True)
    return sorted({name for _, table in loading.batches() for name in table.frame.columns})


def read(
    data: Data, names: Sequence[str], rows: Collection[int], *, shape: str, base: Path
) -> dict[str, dict[int, str]]:
    """Of each column the text of those rows that have one.

    Raises:
        DataError: C30 when no file has a column of that name.
    """
    wanted, found = pl.Series(list(rows), dtype=pl.Int64), {name: dict[int, str]() for name in names}
    if not names:
        return {}
    seen: set[str] = set()
    for _, table, start in started(Loading(data=data, shape=shape, base=base)):
        seen.update(table.frame.columns)
        numbers = pl.Series(number(table, start).rows, dtype=pl.Int64)
        chosen = numbers.is_in(wanted.implode())
        for name in (name for name in names if name in table.frame.columns):
            cells = texts(table, name).filter(chosen).to_list()
            pairs = zip(numbers.filter(chosen).to_list(), cells, strict=True)
            found[name].update((row, cell) for row, cell in pairs if cell is not None)
    for name in names:
        if name not in seen:
            raise DataError("C30", name=name, **suggestion(name, sorted(seen)))
    return found
