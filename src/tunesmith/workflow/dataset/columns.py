"""What columns are called in a file that is written, and of which kind those beside the shape are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from tunesmith.data.batches import REST
from tunesmith.data.loading import SourceReport
from tunesmith.data.names import is_language
from tunesmith.data.readers.json_value import decode
from tunesmith.data.reading import open_file
from tunesmith.data.shapes import COLUMNS, NAMES
from tunesmith.data.sources import locate
from tunesmith.data.writing import AS_THEY_ARE, Columns
from tunesmith.workflow.dataset.section import Section

_PLAIN = ("text", "text_label", "multi_label", "pair")
"""Layouts in which every field of the shape is one column."""

_EXACT = 2**53  # up to here whole numbers are floating-point numbers, too


def columns_of(section: Section, sources: Sequence[SourceReport]) -> Columns:
    """The columns of the sources, their names and order, where each field is the same one column in all.

    Where it is not, the columns of the shape keep their names.
    """
    mappings = [{f: c for f, c in source.mapping.items() if f not in NAMES} for source in sources]
    if any(source.kind not in _PLAIN for source in sources) or any(one != mappings[0] for one in mappings):
        return AS_THEY_ARE
    if not mappings or mappings[0].keys() != set(COLUMNS[section.shape]):
        return AS_THEY_ARE
    given = ((split, entry) for split, entries in section.data.source.items() for entry in entries)
    files = (file for split, entry in given for file in locate(entry.path, section.base, split))
    order = dict.fromkeys(name for file in files for name in open_file(file).sample.frame.columns)
    return Columns(names=mappings[0], order=tuple(order))


def languages_of(sources: Sequence[SourceReport]) -> tuple[str, str]:
    """What the sides of pairs are called: by their languages where those are known and the same in all."""
    found = {(s.mapping.get("source", ""), s.mapping.get("target", "")) for s in sources}
    known = [pair for pair in found if all(map(is_language, pair))]
    return known[0] if len(found) == 1 and known else ("source", "target")


def kept_cells(frames: Iterable[pl.DataFrame]) -> dict[str, pl.DataType]:
    """The columns of all cells beside the shape, in the order in which they come up, and their kinds.

    A column is text when its cells differ in kind or are lists or objects: those are then JSON text.
    """
    kinds: dict[str, set[str]] = {}
    for frame in frames:
        if REST in frame.columns:
            note_kinds([decode(text.encode()) for text in frame[REST]], kinds)
    return dtypes_of(kinds)


def note_kinds(rows: Iterable[Mapping[str, Any]], kinds: dict[str, set[str]]) -> None:
    """Add the kinds of cells to those seen before, by the names of their columns."""
    for row in rows:
        for name, cell in row.items():
            kinds.setdefault(name, set()).add(_kind(cell))


def dtypes_of(kinds: Mapping[str, set[str]]) -> dict[str, pl.DataType]:
    """The type of column that holds cells of the kinds seen."""
    return {name: _dtype(found - {"none"}) for name, found in kinds.items()}


def _kind(cell: Any) -> str:
    if isinstance(cell, bool):
        return "truth"
    if isinstance(cell, int):
        return "whole" if abs(cell) <= _EXACT else "long" if abs(cell) < 2**63 else "huge"
    return "none" if cell is None else "number" if isinstance(cell, float) else "other"


def _dtype(kinds: set[str]) -> pl.DataType:
    if kinds and kinds <= {"whole", "long"}:
        return pl.Int64()
    if kinds and kinds <= {"whole", "number"}:
        return pl.Float64()
    return pl.Boolean() if kinds == {"truth"} else pl.String()
