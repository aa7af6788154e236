"""The raw columns of files as they were read: kind, what is missing, how many different values, examples."""

from __future__ import annotations

from typing import Any

import polars as pl

from tunesmith.data.profile.sample import Distinct
from tunesmith.data.table import RawTable

_EXAMPLES = 3
# More than is shown, so that what is masked there is seen as a whole.
_KEPT = 400
_LOOKED_AT = 1_000
# What a text column holds when all its cells look so; the first that fits.
_LOOKS = {
    "integer": r"^\s*[+-]?\d{1,18}\s*$",
    "number": r"^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$",
    "boolean": r"^\s*(?i:true|false)\s*$",
    "date": r"^\s*\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[ T]\d{1,2}:\d{2}.*)?\s*$",
}


class Columns:
    """What is known of the columns of all files, by name."""

    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}
        self._rows = 0

    def add(self, table: RawTable) -> None:
        """Take a batch of raw rows; a column it lacks is missing in all its rows."""
        for name in table.frame.columns:
            column = self._columns.setdefault(name, _Column())
            column.add(table.frame[name], is_nested=name in table.nested)
        self._rows += table.frame.height

    def result(self) -> list[dict[str, Any]]:
        """One entry for each column, in the order in which they came."""
        return [{"name": name, **column.result(self._rows)} for name, column in self._columns.items()]


class _Column:
    def __init__(self) -> None:
        self._seen = 0
        self._kinds: set[str] = set()
        self._distinct = Distinct()
        self._examples: list[str] = []

    def add(self, cells: pl.Series, *, is_nested: bool) -> None:
        given = cells.drop_nulls()
        if given.dtype == pl.String:
            given = given.filter(given.str.strip_chars() != "")
        if not given.is_empty():
            self._kinds.add("nested" if is_nested else _kind(given))
        texts = given if given.dtype == pl.String else given.cast(pl.String)
        self._distinct.add(texts)
        self._take_examples(texts)

    def _take_examples(self, texts: pl.Series) -> None:
        """The first different values, looked for in as many cells whatever the size of batches."""
        first = texts.head(max(0, _LOOKED_AT - self._seen)).str.slice(0, _KEPT)
        self._seen += len(texts)
        for text in first.unique(maintain_order=True):
            if len(self._examples) < _EXAMPLES and text not in self._examples:
                self._examples.append(text)

    def result(self, rows: int) -> dict[str, Any]:
        missing = rows - self._seen
        return {
            "type": _joined(self._kinds),
            "missing": missing,
            "missing_share": missing / max(1, rows),
            "distinct": self._distinct.count(),
            "distinct_is_exact": self._distinct.is_exact,
            "examples": list(self._examples),
        }


def _kind(cells: pl.Series) -> str:
    if cells.dtype == pl.Boolean:
        return "boolean"
    if cells.dtype.is_integer():
        return "integer"
    if cells.dtype.is_numeric():
        return "number"
    if cells.dtype.is_temporal():
        return "date"
    for kind, pattern in _LOOKS.items():
        if cells.str.contains(pattern).all():
            return kind
    return "text"


def _joined(kinds: set[str]) -> str:
    """One kind for batches of several: what all of them are also."""
    if not kinds:
        return "empty"
    if kinds <= {"integer", "number"}:
        return "number" if "number" in kinds else "integer"
    return kinds.pop() if len(kinds) == 1 else "nested" if "nested" in kinds else "text"
