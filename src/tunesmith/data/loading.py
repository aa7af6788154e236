"""Every file of a recipe opened, mapped and read in batches, and what was noticed about each.

Nothing is raised for a mistake in the data: problems are collected, so that all can be told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError, NotFoundError, Problem, TunesmithError
from tunesmith.core.recipe import Data, Entry
from tunesmith.core.registry import suggestion
from tunesmith.data.layouts import REASON_CODES
from tunesmith.data.mapping import Mapper, mapper
from tunesmith.data.reading import BATCH_BYTES, RawFile, open_file
from tunesmith.data.shapes import FIELDS
from tunesmith.data.source_file import SourceFile
from tunesmith.data.sources import WHOLE, check_splits, located, shown, splits_of
from tunesmith.data.table import RawTable, some

BLANK = "blank"
BROKEN = "broken"
ROW_CODES = frozenset((*REASON_CODES.values(), "D10", "D12", "D13"))
"""Codes of problems that cost rows and no whole file."""
_SHOWN = 6  # one more than a sentence lists, so that it says when there are more


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
class Source:
    """One file on its way: what it is, and what was noticed in the rows seen so far."""

    split: str
    entry: int  # its number among all entries
    name: str
    file: RawFile
    mapper: Mapper
    number: int | None = None
    rows: int = 0
    usable: int = 0
    _places: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    _counts: dict[str, int] = field(default_factory=dict[str, int])
    _values: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    def note(self, code: str, lines: Sequence[int], values: Mapping[str, Any]) -> None:
        """Rows that cannot be used for the reason of `code`, by their lines."""
        self._counts[code] = self._counts.get(code, 0) + len(lines)
        places = self._places.setdefault(code, [])
        places += lines[: _SHOWN - len(places)]
        self._values.setdefault(code, values)

    def problems(self, *, stop: bool) -> Iterator[Problem]:
        """Mistakes in rows, all of which stop a run unless they are to be dropped and others are left."""
        for code, count in sorted(self._counts.items()):
            if stop or not self.usable:
                lines = self._places[code]
                values = {**self._values[code], "count": count, "lines": some(lines)}
                yield Problem(code=code, file=str(self.file.path), line=lines[0], values=values)

    def report(self) -> SourceReport:
        """How the file was read."""
        return SourceReport(
            path=self.name,
            split=self.split,
            format=self.file.format,
            encoding=self.file.encoding,
            delimiter=self.file.delimiter,
            rows=self.rows,
            kind=self.mapper.kind,
            mapping=self.mapper.mapping,
        )

    def warnings(self) -> Iterator[Problem]:
        """What was guessed about the file and might be wrong."""
        file = str(self.file.path)
        yield from self.file.notes
        if self.file.header is False:
            columns = ", ".join(self.file.sample.frame.columns)
            yield Problem(code="D30", file=file, line=1, values={"columns": columns})
        for name in self.file.repeated:
            yield Problem(code="D31", file=file, line=1, values={"name": name})


@dataclass(slots=True, kw_only=True)
class Loading:
    """The files of a data section, read one after the other; with `head` only the beginning of each."""

    data: Data
    shape: str
    base: Path
    batch_bytes: int = BATCH_BYTES
    head: bool = False
    entries: list[Entry] = field(default_factory=list[Entry])
    sources: list[Source] = field(default_factory=list[Source])
    _problems: list[Problem | Source] = field(default_factory=list[Problem | Source])
    _left_out: list[Problem] = field(default_factory=list[Problem])

    def batches(self) -> Iterator[tuple[Source, RawTable]]:
        """Every batch of every file, in order."""
        found = list(self._located())
        splits = splits_of([(split, file) for split, _, file in found])
        for split, (_, entry, file) in zip(splits, found, strict=True):
            try:
                yield from self._file(split, self._number(entry, file), file)
            except TunesmithError as error:
                self._problems += error.problems

    @property
    def problems(self) -> list[Problem]:
        """All mistakes found so far, in the order of the files."""
        found: list[Problem] = []
        for item in self._problems:
            found += item.problems(stop=self.data.on_error == "stop") if isinstance(item, Source) else [item]
        return found

    @property
    def warnings(self) -> list[Problem]:
        """What was guessed about the files and might be wrong, and which of them are left out."""
        guessed = [warning for source in self.sources for warning in source.warnings()]
        return [*self._left_out, *guessed]

    def _located(self) -> Iterator[tuple[str, Entry, SourceFile]]:
        """The files of every entry; an entry that has none is a problem."""
        try:
            check_splits(self.data)
        except TunesmithError as error:
            self._problems += error.problems
            return
        for split, entries in self.data.source.items():
            for entry in entries:
                try:
                    found = located(entry.path, self.base, split)
                    self._note(entry, found.left_out)
                    yield from ((split, entry, file) for file in found.files)
                except TunesmithError as error:
                    self._problems += error.problems

    def _note(self, entry: Entry, left_out: Sequence[str]) -> None:
        if left_out:
            values = {"parts": ", ".join(left_out)}
            self._left_out.append(Problem(code="D86", file=entry.path, values=values))

    def _number(self, entry: Entry, file: SourceFile) -> int:
        """The number of an entry; a file that is described with a limit of its own counts as one."""
        if file.limit is not None and entry.cap is None:
            entry = entry.model_copy(update={"cap": file.limit})
        if entry not in self.entries:
            self.entries.append(entry)
        return self.entries.index(entry)

    def _file(self, split: str, entry: int, file: SourceFile) -> Iterator[tuple[Source, RawTable]]:
        opened = open_file(file, batch_bytes=self.batch_bytes)
        described = {name: column for name, column in file.fields.items() if name in FIELDS[self.shape]}
        chosen = mapper(opened.sample, self.shape, {**described, **self.data.fields})
        if split in (WHOLE, "train"):
            _check_columns(opened, self.data)
        name = shown(file.path, self.base)
        source = Source(split=split, entry=entry, name=name, file=opened, mapper=chosen)
        self.sources.append(source)
        self._problems.append(source)
        tables = (opened.sample,) if self.head else opened.batches()
        yield from ((source, table) for table in tables)


def _check_columns(file: RawFile, data: Data) -> None:
    """The columns by which rows are divided must be there where rows are divided."""
    columns = file.sample.frame.columns
    for key, column in (("group", data.split.group), ("time", data.split.time)):
        if column is not None and column not in columns:
            values = suggestion(column, columns)
            raise DataError("D06", file=file.path, line=1, name=column, key=f"split.{key}", **values)


def stop_for(problems: Iterable[Problem]) -> None:
    """Raise all problems as one error, if there are any.

    Raises:
        NotFoundError: when all of them are missing files.
        DataError: otherwise.
    """
    found = list(problems)
    if found:
        missing = all(problem.code == "D01" for problem in found)
        raise (NotFoundError if missing else DataError).of(found)
