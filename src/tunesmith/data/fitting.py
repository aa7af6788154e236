"""Which of several shapes the rows of a data section are in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tunesmith.core.errors import TunesmithError
from tunesmith.core.recipe import Data
from tunesmith.data.mapping import mapper, recognise
from tunesmith.data.reading import open_file
from tunesmith.data.shapes import FIELDS
from tunesmith.data.sources import located
from tunesmith.data.table import RawTable


def fitting(data: Data, shapes: Sequence[str], base: Path) -> str:
    """The one of `shapes` that the first file has: by the fields named, else as it is recognised.

    The first shape where none fits, or where the file cannot be read: what is wrong is told later.
    """
    able = [shape for shape in shapes if data.fields.keys() <= set(FIELDS[shape])] or [shapes[0]]
    if len(able) == 1:
        return able[0]
    try:
        sample = next(_samples(data, base))
    except (StopIteration, TunesmithError, OSError):
        return able[0]
    found = recognise(sample)
    others = (shape for shape in able if _fits(sample, shape, data))
    return found if found in able and not data.fields else next(others, able[0])


def _samples(data: Data, base: Path) -> Iterator[RawTable]:
    for split, entries in data.source.items():
        for entry in entries:
            for file in located(entry.path, base, split).files:
                yield open_file(file).sample


def _fits(sample: RawTable, shape: str, data: Data) -> bool:
    try:
        mapper(sample, shape, data.fields)
    except TunesmithError:
        return False
    return True
