"""CSV, TSV and their kin: records under a known dialect; a quoted field may go over many lines."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from tunesmith.core.errors import DataError
from tunesmith.data.readers.dialect import Dialect, QuoteError, records
from tunesmith.data.readers.text import Text
from tunesmith.data.table import Broken, RawTable, build


@dataclass(slots=True)
class _Found:
    cells: list[list[str]] = field(default_factory=list[list[str]])
    lines: list[int] = field(default_factory=list[int])
    broken: list[Broken] = field(default_factory=list[Broken])


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimited:
    """A delimited file. Rows with another number of fields than there are columns are broken lines."""

    text: Text
    dialect: Dialect

    @property
    def format(self) -> str:
        """`tsv` when tabs divide the fields, else `csv`."""
        return "tsv" if self.dialect.delimiter == "\t" else "csv"

    def batches(self, size: int) -> Iterator[RawTable]:
        """The rows in batches of about `size` bytes.

        Raises:
            DataError: D11 with the line of a quote that is not closed properly.
        """
        lines = _Lines(self.text.blocks(size))
        width = len(self.dialect.names)
        found, blocks = _Found(), 1
        try:
            for line, cells in self._records(lines):
                # A new block was begun: what came before it is enough.
                if lines.blocks > blocks and (found.lines or found.broken):
                    yield self._table(found)
                    found, blocks = _Found(), lines.blocks
                if len(cells) == width:
                    found.cells.append(cells)
                    found.lines.append(line)
                else:
                    values = {"found": len(cells), "expected": width}
                    found.broken.append(Broken(line=line, code="D10", values=values))
        except QuoteError as error:
            raise DataError("D11", file=self.text.path, line=error.line) from error
        yield self._table(found)

    def _records(self, lines: _Lines) -> Iterator[tuple[int, list[str]]]:
        found = records(lines, self.dialect.delimiter, quoted=self.dialect.quoted)
        if self.dialect.header:
            next(found, None)
        return found

    def _table(self, found: _Found) -> RawTable:
        names = self.dialect.names
        columns = list(zip(*found.cells, strict=True)) or [()] * len(names)
        frame, _ = build(dict(zip(names, columns, strict=True)))
        return RawTable(
            path=self.text.path,
            frame=frame,
            lines=tuple(found.lines),
            format=self.format,
            encoding=str(self.text.encoding),
            delimiter=self.dialect.delimiter,
            header=self.dialect.header,
            repeated=self.dialect.repeated,
            broken=tuple(found.broken),
        )


class _Lines:
    """The lines of a text with their ends, and how many blocks of it have been begun."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.blocks = 0

    def __iter__(self) -> Iterator[str]:
        for block in self._blocks:
            self.blocks += 1
            yield from io.StringIO(block.decode(), newline="")
