"""JSON as rows with their lines: an array, rows under a key, or one object a line, found from the content.

Two slips are mended because they can mean nothing else: a comma before a closing bracket or at the end of a
line, and NUL bytes around an object. Anything else costs its line (JSON Lines) or is an error (one document).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.data.table import Broken, RawTable, from_rows

_SPACE = re.compile(r"[ \t\r\n]*")
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])')


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


@dataclass(slots=True)
class _Found:
    """Rows, the line each starts on, and the lines that are no rows."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    def add(self, value: Any, line: int) -> None:
        if isinstance(value, dict):
            self.rows.append(value)
            self.lines.append(line)
        else:
            self.broken.append(Broken(line=line, code="D13", values={"kind": type(value).__name__}))


def parse(text: str, path: Path, encoding: str) -> RawTable:
    """The table of a JSON text.

    Raises:
        DataError: D04 with the line of a mistake in a file that is one document; D14 when several keys
            hold rows.
    """
    if _is_lines(text, path):
        return _table(_lines(text), path, encoding, "jsonl")
    try:
        return _table(_mended_document(text, path), path, encoding, "json")
    except json.JSONDecodeError as error:
        raise DataError("D04", file=path, line=error.lineno, reason=error.msg) from error
    except ValueError as error:
        raise DataError("D04", file=path, line=1, reason=str(error)) from error
    except RecursionError as error:
        raise DataError("D04", file=path, line=1, reason="nested too deeply") from error


def _table(found: _Found, path: Path, encoding: str, name: str) -> RawTable:
    frame, nested = from_rows(found.rows)
    return RawTable(
        path=path,
        frame=frame,
        lines=tuple(found.lines),
        format=name,
        encoding=encoding,
        nested=nested,
        broken=tuple(found.broken),
    )


def _is_lines(text: str, path: Path) -> bool:
    """One value a line: the first line is a whole object that is not all of the file's rows."""
    first, _, rest = text.strip("\0 \t\r\n").partition("\n")
    try:
        value = _decode(first)
    except (ValueError, RecursionError):
        # A damaged first line: an array opens with a bracket, anything else is what the name says.
        return path.suffix.lower() in (".jsonl", ".ndjson") and not first.lstrip().startswith("[")
    if isinstance(value, dict):
        return bool(rest.strip()) or not _row_keys(value)
    return bool(rest.strip())


def _lines(text: str) -> _Found:
    found = _Found()
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip("\0\ufeff \t\r"):
            continue
        try:
            found.add(_decode(line), number)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            found.broken.append(Broken(line=number, code="D12", values={"reason": reason}))
    return found


def _decode(line: str) -> Any:
    clean = line.strip("\0\ufeff \t\r")
    try:
        return _DECODER.decode(clean)
    except json.JSONDecodeError:
        return _DECODER.decode(_without_trailing_commas(clean.rstrip(",")))


def _without_trailing_commas(text: str) -> str:
    return _TRAILING_COMMA.sub(lambda match: match[1] or "", text)


def _mended_document(text: str, path: Path) -> _Found:
    try:
        return _document(text, path)
    except json.JSONDecodeError:
        return _document(_without_trailing_commas(text), path)


def _document(text: str, path: Path) -> _Found:
    start = _skip(text, 0)
    if not text[start:]:
        return _Found()
    if text[start] == "[":
        return _array(text, start)
    value, end = _DECODER.raw_decode(text, start)
    if _skip(text, end) < len(text):
        raise json.JSONDecodeError("more than one value", text, end)
    keys = _row_keys(value)
    if len(keys) > 1:
        raise DataError("D14", file=path, keys=", ".join(keys))
    if keys:
        return _array(text, _position_of(text, start, keys[0]))
    found = _Found()
    found.add(value, text.count("\n", 0, start) + 1)
    return found


def _row_keys(value: Any) -> list[str]:
    """The keys of an object under which there are several rows, or one that is not a conversation."""
    if not isinstance(value, dict):
        return []
    lists = {key: item for key, item in value.items() if isinstance(item, list) and item}
    return [
        key
        for key, item in lists.items()
        if key not in ("messages", "conversations", "conversation")
        and all(isinstance(row, dict) for row in item)
    ]


def _position_of(text: str, start: int, key: str) -> int:
    """Where the value of `key` begins in the object at `start`."""
    at = _skip(text, start + 1)
    while True:
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if name == key:
            return at
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)


def _array(text: str, start: int) -> _Found:
    found = _Found()
    at = _skip(text, start + 1)
    line, counted = 1, 0
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        value, end = _DECODER.raw_decode(text, at)
        found.add(value, line)
        at = _skip(text, end)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
    return found


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
