"""JSON Lines: one object a line. A line that is not one costs that line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from tunesmith.data.readers.json_value import decode, decode_carefully, lines_with_long_numbers
from tunesmith.data.readers.text import Text
from tunesmith.data.table import Broken, RawTable, from_rows

_BLANK = b"\0 \t\r\xef\xbb\xbf"


@dataclass(slots=True)
class Rows:
    """Rows, the line each starts on, and the lines that are no rows."""

    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    lines: list[int] = field(default_factory=list[int])
    broken: list[Broken] = field(default_factory=list[Broken])

    def add(self, value: Any, line: int) -> None:
        """A value that should be a row."""
        if isinstance(value, dict):
            self.rows.append(value)
            self.lines.append(line)
        else:
            self.reject(line, type(value).__name__)

    def reject(self, line: int, kind: str) -> None:
        """A value that is no row."""
        self.broken.append(Broken(line=line, code="D13", values={"kind": kind}))

    def table(self, text: Text, form: str) -> RawTable:
        """All of them as a table."""
        frame, nested = from_rows(self.rows)
        return RawTable(
            path=text.path,
            frame=frame,
            lines=tuple(self.lines),
            format=form,
            encoding=str(text.encoding),
            nested=nested,
            broken=tuple(self.broken),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLines:
    """A file of JSON Lines."""

    text: Text

    def batches(self, size: int) -> Iterator[RawTable]:
        """The rows in batches of about `size` bytes."""
        number = 1
        for block in self.text.blocks(size):
            lines = block.split(b"\n")
            found = _rows(lines, number, careful=lines_with_long_numbers(block))
            number += len(lines) - 1
            yield found.table(self.text, "jsonl")


def _rows(lines: list[bytes], number: int, careful: set[int]) -> Rows:
    """The rows of lines, the first of which is line `number`; those at `careful` must be read with care."""
    filled = [(at, line) for at, line in enumerate(lines) if line]
    try:
        rows = [
            decode_carefully(line.decode()) if at in careful else orjson.loads(line) for at, line in filled
        ]
    except (ValueError, RecursionError):
        rows = [None]
    if all(type(row) is dict for row in rows):
        return Rows(rows=rows, lines=[number + at for at, _ in filled])
    return _rows_one_by_one([(number + at, line) for at, line in filled])


def _rows_one_by_one(lines: list[tuple[int, bytes]]) -> Rows:
    found = Rows()
    for number, line in lines:
        try:
            found.add(decode(line), number)
        except (ValueError, RecursionError) as error:
            if line.strip(_BLANK):
                found.broken.append(Broken(line=number, code="D12", values={"reason": _reason(error)}))
    return found


def _reason(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)
