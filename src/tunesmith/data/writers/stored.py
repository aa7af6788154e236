"""Rows as Parquet, with column types that are the same in every file of a layout."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.data.layouts.frames import SPANS, TURNS
from tunesmith.data.layouts.layout import Row

_TEXTS = pl.List(pl.String)
_SAID = pl.Struct({"from": pl.String, "value": pl.String})
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "text": {"text": pl.String},
    "text_label": {"text": pl.String, "label": pl.String},
    "multi_label": {"text": pl.String, "labels": _TEXTS},
    "alpaca": {
        "instruction": pl.String,
        "input": pl.String,
        "output": pl.String,
        "system": pl.String,
        "history": pl.List(_TEXTS),
    },
    "sharegpt": {"conversations": pl.List(_SAID), "tools": pl.String},
    "messages": {"messages": TURNS, "tools": pl.String},
    "ranking": {"conversations": pl.List(_SAID), "chosen": _SAID, "rejected": _SAID, "tools": pl.String},
    "trl": {"prompt": TURNS, "chosen": TURNS, "rejected": TURNS, "tools": pl.String},
    "kto": {"messages": TURNS, "label": pl.Boolean, "tools": pl.String},
    "token_tags": {"tokens": _TEXTS, "tags": _TEXTS, "text": pl.String},
    "prodigy": {"text": pl.String, "spans": SPANS, "answer": pl.String},
    "squad": {
        "context": pl.String,
        "question": pl.String,
        "answers": pl.Struct({"text": _TEXTS, "answer_start": pl.List(pl.Int64)}),
    },
}
"""The columns of each layout that is written as Parquet; what has no fixed form is JSON text."""


class Stored:
    """A Parquet file; batches are kept beside it until it is closed, so that they need no memory."""

    def __init__(self, path: Path, schema: Mapping[str, Any]) -> None:
        self._path = path
        self._schema = pl.Schema(schema)
        self._parts = path.with_name(f"{path.name}-parts")
        self._parts.mkdir()
        self._count = 0

    def check(self, row: Row) -> None:
        """Every row fits."""

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        cells = {name: [_as(row.get(name), kind) for row in rows] for name, kind in self._schema.items()}
        part = self._parts / f"{self._count:08}.parquet"
        pl.DataFrame(cells, schema=self._schema).write_parquet(part)
        self._count += 1

    def close(self) -> None:
        """Write the file and remove the parts."""
        try:
            if self._count:
                pl.scan_parquet(self._parts / "*.parquet").sink_parquet(self._path)
            else:
                pl.DataFrame(schema=self._schema).write_parquet(self._path)
        finally:
            shutil.rmtree(self._parts, ignore_errors=True)


def _as(value: Any, kind: pl.DataType) -> Any:
    """A value in the form of a column; what is no text where text is wanted becomes JSON text."""
    if value is None:
        return None
    if isinstance(kind, pl.List):
        return [_as(item, pl.Series(dtype=kind.inner).dtype) for item in value]
    if isinstance(kind, pl.Struct):
        return {
            field.name: _as(value.get(field.name), pl.Series(dtype=field.dtype).dtype)
            for field in kind.fields
        }
    return (
        json.dumps(value, ensure_ascii=False) if kind == pl.String and not isinstance(value, str) else value
    )
