"""A file as rows with their lines: what it is, its beginning, and all of it in batches of bounded size.

CSV and TSV, JSON, JSON Lines, CoNLL, plain text, aligned lines, Excel, Parquet and Arrow. The name of a file
is a hint, its content decides. What is recognised depends on the first `SAMPLE_BYTES` and on nothing behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from tunesmith.core.errors import DataError, Problem
from tunesmith.data.readers import aligned, conll, dialect, excel, json_document, plain, stored
from tunesmith.data.readers.arrow_stream import MAGIC as ARROW_STREAM
from tunesmith.data.readers.columnar import Columnar
from tunesmith.data.readers.conll import Conll
from tunesmith.data.readers.delimited import Delimited
from tunesmith.data.readers.json_document import JsonDocument
from tunesmith.data.readers.json_lines import JsonLines
from tunesmith.data.readers.plain import Plain
from tunesmith.data.readers.text import Start, Text, open_text, start_of
from tunesmith.data.source_file import SourceFile
from tunesmith.data.table import RawTable, broken_problems, join

BATCH_BYTES = 4 * 1024 * 1024
SAMPLE_BYTES = BATCH_BYTES // 2

_DELIMITED = (".csv", ".tsv")
_JSON = (".json", ".jsonl", ".ndjson")
# First bytes of formats that people try: zip files, old Office files, PDF, zstandard, PNG, JPEG.
_FOREIGN = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x28\xb5\x2f\xfd", b"\x89PNG", b"\xff\xd8\xff")


class Reader(Protocol):
    """Reads one file of one format."""

    def batches(self, size: int) -> Iterator[RawTable]:
        """The rows in order, in batches of about `size` bytes; a batch may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """What a file is, its beginning as a table, and all of it in batches.

    `sample` is the first `SAMPLE_BYTES` of it, `whole` says that there is no more. `notes` are what the user
    should know, such as sheets that were not read.
    """

    path: Path
    format: str
    encoding: str | None
    delimiter: str | None
    header: bool | None
    repeated: tuple[str, ...]
    sample: RawTable
    whole: bool
    notes: tuple[Problem, ...]
    reader: Reader
    batch_bytes: int

    def batches(self) -> Iterator[RawTable]:
        """The whole file from its start, in order; broken lines in `broken` of the batch they are in.

        Raises:
            DataError: D04, D11, D14 for a mistake behind the sample from which the rest cannot be read.
        """
        if self.whole and self.batch_bytes >= BATCH_BYTES:
            yield self.sample
        else:
            yield from filter(_is_filled, self.reader.batches(self.batch_bytes))


def open_file(source: Path | SourceFile, *, batch_bytes: int = BATCH_BYTES) -> RawFile:
    """Recognise a file from its beginning, to be read in batches of about `batch_bytes`.

    Raises:
        NotFoundError: D01 when there is no such file.
        DataError: D02 no rows, D03 not a readable format, D04 a syntax mistake, D05 unknown encoding, D11 a
            quote that is not closed, D14 rows under several keys, D15 a folder, D42 unequal aligned files.
    """
    file = source if isinstance(source, SourceFile) else SourceFile(path=source)
    key = (file.path, file.aligned, batch_bytes, *map(_state, file.paths))
    last = _last.get("file")
    if last is None or last[0] != key:
        # One item, so that a thread beside this one cannot come in between.
        last = _last["file"] = key, _opened(file, batch_bytes)
    return last[1]


def _state(path: Path) -> tuple[int, int] | None:
    """What changes when a file does."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


# The file opened last: recognising it, mapping it and reading it ask for the same beginning.
_last: dict[str, tuple[Any, RawFile]] = {}


def _opened(file: SourceFile, batch_bytes: int) -> RawFile:
    reader = _reader(file)
    batches = filter(_is_filled, reader.batches(SAMPLE_BYTES))
    sample = next(batches, None)
    # Megabytes of blank lines may come before the first row.
    while sample is not None and not (sample.lines or sample.broken):
        following = next(batches, None)
        sample = None if following is None else join([sample, following])
    if sample is None:
        raise DataError("D02", file=file.path, line=1)
    return RawFile(
        path=file.path,
        format=sample.format,
        encoding=sample.encoding,
        delimiter=sample.delimiter,
        header=sample.header,
        repeated=sample.repeated,
        sample=sample,
        whole=not _is_larger(file.path) and next(batches, None) is None,
        notes=reader.notes if isinstance(reader, excel.Excel) else (),
        reader=reader,
        batch_bytes=batch_bytes,
    )


def read(source: Path | SourceFile, *, on_error: Literal["stop", "drop"] = "stop") -> RawTable:
    """The table of one whole file. With `drop`, broken lines are left out and listed in `RawTable.broken`.

    Raises:
        NotFoundError: D01 when there is no such file.
        DataError: as `open_file`, and D10, D12, D13, D41 for broken lines (with `stop`).
    """
    file = open_file(source)
    table = join(list(file.batches()))
    if table.broken and on_error == "stop":
        raise DataError.of(broken_problems(file.path, table.broken))
    return table


def _is_larger(path: Path) -> bool:
    """Whether a file is surely longer than the sample, packed or not."""
    return path.is_file() and path.stat().st_size > SAMPLE_BYTES


def _is_filled(table: RawTable) -> bool:
    return bool(table.lines or table.broken or table.blank)


def _reader(file: SourceFile) -> Reader:
    if file.aligned:
        return aligned.open_aligned(file.path, file.aligned)
    path, suffix = file.path, stored.suffix(file.path)
    start = stored.head(path, 8)
    if start.startswith(b"PAR1") or suffix == ".parquet":
        return Columnar(path=path, kind="parquet")
    if start.startswith(b"ARROW1"):
        return Columnar(path=path, kind="arrow")
    if start.startswith(ARROW_STREAM):
        return Columnar(path=path, kind="arrow_stream")
    if excel.is_workbook(path, start):
        return excel.open_workbook(path)
    if start.startswith(_FOREIGN):
        raise DataError("D03", file=path, reason=path.suffix.lstrip(".").lower() or "binary")
    text = open_text(path)
    return _text_reader(text, start_of(text, SAMPLE_BYTES), suffix)


def _text_reader(text: Text, start: Start, suffix: str) -> Reader:
    if suffix in _JSON or (suffix not in _DELIMITED and _looks_like_json(start.text)):
        if json_document.is_lines(start, text.path):
            return JsonLines(text=text)
        return JsonDocument(text=text, plan=json_document.plan(start, text.path))
    if layout := conll.find(start, hinted=suffix in conll.SUFFIXES):
        return Conll(text=text, layout=layout)
    found = None
    if suffix in _DELIMITED or _looks_delimited(start.text):
        found = dialect.find(start, text.path)
    if found is None:
        return Plain(text=text, paragraphs=plain.has_paragraphs(start))
    return Delimited(text=text, dialect=found)


def _looks_like_json(text: str) -> bool:
    return bool(re.match(r'\s*(?:\{\s*"|\[\s*\{)', text))


def _looks_delimited(text: str) -> bool:
    """Tabs in every line that is not blank, always as many."""
    tabs = {line.count("\t") for line in text.splitlines() if line.strip()}
    return len(tabs) == 1 and tabs != {0}
