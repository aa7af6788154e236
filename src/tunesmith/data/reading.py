"""A file as a table: format and encoding found, every row with its line, broken lines named.

CSV and TSV, JSON, JSON Lines, Parquet and plain text. The name of a file is a hint, its content decides.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from tunesmith.core.errors import DataError, NotFoundError, Problem
from tunesmith.data import delimited, json_rows
from tunesmith.data.encoding import decode
from tunesmith.data.table import RawTable, broken_problems, build

BATCH_BYTES = 4 * 1024 * 1024
SAMPLE_BYTES = 2 * BATCH_BYTES

_DELIMITED = (".csv", ".tsv")
_JSON = (".json", ".jsonl", ".ndjson")
# First bytes of formats that people try: Excel and other zip files, old Excel, PDF, gzip, PNG, JPEG.
_FOREIGN = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b", b"\x89PNG", b"\xff\xd8\xff")


def read(path: Path, *, on_error: Literal["stop", "drop"] = "stop") -> RawTable:
    """The table of one file. With `drop`, broken lines are left out and listed in `RawTable.broken`.

    Raises:
        NotFoundError: D01 when there is no such file.
        DataError: D02 no rows, D03 not a readable format, D04 a syntax mistake, D05 unknown encoding,
            D10-D13 broken lines (with `stop`), D14 rows under several keys, D15 a folder.
    """
    table = _parse(_bytes(path), path)
    if table.broken and on_error == "stop":
        raise DataError.of(broken_problems(path, table.broken))
    if not table.lines and not table.broken:
        raise DataError("D02", file=path, line=1)
    return table


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """What a file is, its beginning as a table, and all of it in batches."""

    path: Path
    format: str
    encoding: str | None
    delimiter: str | None
    header: bool | None
    repeated: tuple[str, ...]
    sample: RawTable
    notes: tuple[Problem, ...] = ()

    def batches(self) -> Iterator[RawTable]:
        """The whole file from its start, in order; broken lines in `broken` of the batch they are in."""
        yield self.sample


def open_file(path: Path, *, batch_bytes: int = BATCH_BYTES) -> RawFile:
    """Recognise a file from its beginning, to be read in batches of about `batch_bytes`.

    Raises:
        NotFoundError: D01 when there is no such file.
        DataError: as `read`, but for broken lines, which the batches carry.
    """
    table = read(path, on_error="drop")
    return RawFile(
        path=path,
        format=table.format,
        encoding=table.encoding,
        delimiter=table.delimiter,
        header=table.header,
        repeated=table.repeated,
        sample=table,
    )


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        raise DataError("D15", file=path)
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError("D01", file=path) from error
    except OSError as error:
        raise DataError("D03", file=path, reason=error.strerror) from error


def _parse(data: bytes, path: Path) -> RawTable:
    suffix = path.suffix.lower()
    if data.startswith(b"PAR1") or suffix == ".parquet":
        return _parquet(data, path)
    if data.startswith(_FOREIGN):
        raise DataError("D03", file=path, reason=suffix.lstrip(".") or "binary")
    decoded = decode(data, path)
    text = decoded.text
    if suffix in _JSON or (suffix not in _DELIMITED and _looks_like_json(text)):
        return json_rows.parse(text, path, decoded.encoding)
    if suffix in _DELIMITED or _looks_delimited(text):
        return delimited.parse(text, path, decoded.encoding)
    return _plain(text, path, decoded.encoding)


def _parquet(data: bytes, path: Path) -> RawTable:
    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError("D03", file=path, reason="parquet") from error
    frame, nested = build({name: frame[name].to_list() for name in frame.columns})
    lines = tuple(range(1, frame.height + 1))
    return RawTable(path=path, frame=frame, lines=lines, format="parquet", nested=nested)


def _looks_like_json(text: str) -> bool:
    return bool(re.match(r'\s*(?:\{\s*"|\[\s*\{)', text))


def _looks_delimited(text: str) -> bool:
    """Tabs in every line that is not blank, always as many."""
    tabs = {line.count("\t") for line in text.splitlines() if line.strip()}
    return len(tabs) == 1 and tabs != {0}


def _plain(text: str, path: Path, encoding: str) -> RawTable:
    """Paragraphs, which blank lines divide; or lines, when no blank line divides any."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if numbered and numbered[-1][0] - numbered[0][0] + 1 > len(numbered):
        numbered = _paragraphs(numbered)
    frame, _ = build({"text": [line for _, line in numbered]})
    starts = tuple(number for number, _ in numbered)
    return RawTable(path=path, frame=frame, lines=starts, format="text", encoding=encoding)


def _paragraphs(numbered: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Lines that follow each other joined, each paragraph with the number of its first line."""
    found: list[tuple[int, list[str]]] = []
    before = -1
    for number, line in numbered:
        if number != before + 1:
            found.append((number, []))
        found[-1][1].append(line)
        before = number
    return [(number, "\n".join(lines)) for number, lines in found]
