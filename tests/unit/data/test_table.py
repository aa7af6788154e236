"""Tables of one file joined: all columns, one kind each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.data.table import Broken, RawTable, from_rows, join


def table(*rows: dict[str, Any], **facts: Any) -> RawTable:
    """A table of rows given as mappings."""
    frame, nested = from_rows(rows)
    lines = tuple(range(1, len(rows) + 1))
    return RawTable(path=Path("a"), frame=frame, lines=lines, format="jsonl", nested=nested, **facts)


def test_columns_that_one_table_lacks_are_null_there() -> None:
    joined = join([table({"a": 1}), table({"b": "x"}), table({"a": 2, "b": None})])
    assert joined.frame.to_dict(as_series=False) == {"a": [1, None, 2], "b": [None, "x", None]}
    assert joined.frame.schema["a"] == pl.Int64


def test_a_column_of_different_kinds_becomes_json() -> None:
    joined = join([table({"a": 1}), table({"a": "x"}), table({"a": ["y"]}), table({"a": None})])
    assert joined.nested == {"a"}
    assert joined.values("a") == [1, "x", ["y"], None]


def test_joined_tables_are_the_table_of_all_rows() -> None:
    rows: list[dict[str, Any]] = [{"a": True}, {"a": 1, "b": 2.5}, {"b": None, "c": {"d": 1}}, {"c": "text"}]
    joined, whole = join([table(row) for row in rows]), table(*rows)
    assert joined.frame.equals(whole.frame)
    assert joined.nested == whole.nested


def test_every_line_of_plain_text_is_counted() -> None:
    broken = (Broken(line=9, code="D12"),)
    paragraphs = table({"text": "a"}, {"text": "b"}, spans=(3, 1), blank=(4, 5))
    assert (paragraphs.read, table({"a": 1}, broken=broken).read) == (6, 2)
    both = join([paragraphs, paragraphs])
    assert (both.read, both.spans, both.blank) == (12, (3, 1, 3, 1), (4, 5, 4, 5))
