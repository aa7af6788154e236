"""Every file of a recipe read and mapped, every row entered into the ledger.

Nothing is raised for a mistake in the data: problems are collected, so that all can be told at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tunesmith.core.errors import DataError, NotFoundError, Problem, TunesmithError
from tunesmith.core.recipe import Data
from tunesmith.core.registry import suggestion
from tunesmith.data.ledger import Ledger
from tunesmith.data.mapping import Mapped, texts, to_shape
from tunesmith.data.reading import read
from tunesmith.data.sources import check_splits, find, shown
from tunesmith.data.table import RawTable, broken_problems, some

# Why a row cannot be used, and the code that says so.
_REASONS = {
    "unlabelled": "D07",
    "empty_text": "D20",
    "empty_prompt": "D21",
    "empty_answer": "D22",
    "role_order": "D23",
    "role_unknown": "D24",
    "bad_messages": "D25",
    "unrecognised": "D26",
}
ROW_CODES = frozenset((*_REASONS.values(), "D10", "D12", "D13"))
"""Codes of problems that cost rows and no whole file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What was found in one file: how it was read, and which column each field comes from."""

    path: str
    split: str
    format: str
    encoding: str | None
    delimiter: str | None
    rows: int
    kind: str
    mapping: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Loaded:
    """The rows that can be used, by split, and everything that was noticed.

    Frames have the columns of the shape, `_row` and, where a group column is named, `_group`.
    """

    frames: dict[str, pl.DataFrame] = field(default_factory=dict[str, pl.DataFrame])
    ledger: Ledger = field(default_factory=lambda: Ledger.of([], [], []))
    sources: list[SourceReport] = field(default_factory=list[SourceReport])
    problems: list[Problem] = field(default_factory=list[Problem])
    warnings: list[Problem] = field(default_factory=list[Problem])


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One file, read and mapped; `rows` and `broken` are the places of its lines in the ledger."""

    split: str
    table: RawTable
    mapped: Mapped
    groups: pl.Series | None
    rows: Sequence[int]
    broken: Sequence[int]


def load(data: Data, *, shape: str, base: Path) -> Loaded:
    """Read and map every file of `data.source`."""
    loaded = Loaded()
    files = list(_files(data, shape, base, loaded.problems))
    loaded.ledger = _ledger(files, base)
    parts: dict[str, list[pl.DataFrame]] = {}
    for file in files:
        good, bad = _sift(file, data)
        if data.on_error == "stop":
            loaded.problems += _row_problems(file, bad)
        for reason, rows in _by_reason(bad).items():
            loaded.ledger = loaded.ledger.drop(rows, reason)
        parts.setdefault(file.split, []).append(good)
        loaded.sources.append(_report(file, base))
        loaded.warnings += _notes(file.table)
    loaded.frames = {split: pl.concat(frames) for split, frames in parts.items()}
    return loaded


def stop_for(problems: Sequence[Problem]) -> None:
    """Raise all problems as one error, if there are any.

    Raises:
        NotFoundError: when all of them are missing files.
        DataError: otherwise.
    """
    if problems:
        missing = all(problem.code == "D01" for problem in problems)
        raise (NotFoundError if missing else DataError).of(problems)


def _files(data: Data, shape: str, base: Path, problems: list[Problem]) -> Iterator[_File]:
    start = 0
    for split, pattern in _patterns(data, problems):
        try:
            for path in find(pattern, base):
                table = read(path, on_error="drop")
                if table.broken and (data.on_error == "stop" or not table.lines):
                    problems += broken_problems(path, table.broken)
                if table.lines:
                    yield _map(table, split, shape, data, start)
                    start += len(table.lines) + len(table.broken)
        except TunesmithError as error:
            problems += error.problems


def _patterns(data: Data, problems: list[Problem]) -> list[tuple[str, str]]:
    try:
        check_splits(data)
    except TunesmithError as error:
        problems += error.problems
        return []
    return [(split, entry.path) for split, entries in data.source.items() for entry in entries]


def _map(table: RawTable, split: str, shape: str, data: Data, start: int) -> _File:
    mapped = to_shape(table, shape, data.fields)
    lines = [*table.lines, *(broken.line for broken in table.broken)]
    order = sorted(range(len(lines)), key=lambda i: lines[i])
    place = dict(zip(order, range(start, start + len(order)), strict=True))
    count = len(table.lines)
    return _File(
        split=split,
        table=table,
        mapped=mapped,
        groups=_groups(table, data.split.group) if split in ("all", "train") else None,
        rows=[place[i] for i in range(count)],
        broken=[place[i] for i in range(count, len(lines))],
    )


def _groups(table: RawTable, column: str | None) -> pl.Series | None:
    if column is None:
        return None
    columns = table.frame.columns
    if column not in columns:
        values = suggestion(column, columns)
        raise DataError("D06", file=table.path, line=1, name=column, key="split.group", **values)
    return texts(table, column)


def _ledger(files: Sequence[_File], base: Path) -> Ledger:
    names: list[str] = []
    entries: dict[int, tuple[int, str | None]] = {}
    for file in files:
        table = file.table
        names += [shown(table.path, base)] * (len(file.rows) + len(file.broken))
        entries |= dict(zip(file.rows, zip(table.lines, _hashes(table), strict=True), strict=True))
        entries |= {row: (broken.line, None) for row, broken in zip(file.broken, table.broken, strict=True)}
    ordered = [entries[row] for row in range(len(entries))]
    ledger = Ledger.of(names, [line for line, _ in ordered], [content for _, content in ordered])
    return ledger.drop([row for file in files for row in file.broken], "broken")


def _hashes(table: RawTable) -> list[str]:
    """The sha256 of each row's cells as they were read."""
    cells = (pl.col(name).cast(pl.String).fill_null("\0") for name in table.frame.columns)
    joined = table.frame.select(pl.concat_str(list(cells), separator="\x1f")).to_series()
    return [hashlib.sha256(row.encode()).hexdigest() for row in joined.to_list()]


def _sift(file: _File, data: Data) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that can be used, and rows that cannot with the reason in `_bad`.

    Rows without a label are for the cleaner `drop_unlabelled` when it is asked for.
    """
    frame = file.mapped.frame.with_columns(pl.Series("_row", file.rows, dtype=pl.Int64))
    if data.split.group is not None:
        groups = file.groups if file.groups is not None else pl.lit(None, pl.String)
        frame = frame.with_columns(groups.alias("_group"))
    if "label" in frame.columns and all(c.name != "drop_unlabelled" for c in data.clean):
        unlabelled = pl.when(pl.col("label").is_null()).then(pl.lit("unlabelled"))
        frame = frame.with_columns(pl.coalesce("_bad", unlabelled).alias("_bad"))
    is_bad = pl.col("_bad").is_not_null()
    return frame.filter(~is_bad).drop("_bad"), frame.filter(is_bad).select("_row", "_bad")


def _by_reason(bad: pl.DataFrame) -> dict[str, list[int]]:
    reasons: dict[str, list[int]] = {}
    for row, reason in bad.iter_rows():
        reasons.setdefault(reason, []).append(row)
    return reasons


def _row_problems(file: _File, bad: pl.DataFrame) -> list[Problem]:
    line_of = dict(zip(file.rows, file.table.lines, strict=True))
    column = file.mapped.mapping.get("label", "")
    problems = []
    for reason, rows in _by_reason(bad).items():
        lines = [line_of[row] for row in rows]
        values = {"count": len(rows), "lines": some(lines), "column": column}
        path = str(file.table.path)
        problems.append(Problem(code=_REASONS[reason], file=path, line=lines[0], values=values))
    return problems


def _report(file: _File, base: Path) -> SourceReport:
    table = file.table
    return SourceReport(
        path=shown(table.path, base),
        split=file.split,
        format=table.format,
        encoding=table.encoding,
        delimiter=table.delimiter,
        rows=len(table.lines) + len(table.broken),
        kind=file.mapped.kind,
        mapping=file.mapped.mapping,
    )


def _notes(table: RawTable) -> list[Problem]:
    """What was guessed about a file and might be wrong."""
    notes = []
    if table.header is False:
        values = {"columns": ", ".join(table.frame.columns)}
        notes.append(Problem(code="D30", file=str(table.path), line=1, values=values))
    return notes + [
        Problem(code="D31", file=str(table.path), line=1, values={"name": name}) for name in table.repeated
    ]
