"""Text files whose lines belong together by number, as translations are often kept: one column for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from tunesmith.core.errors import DataError
from tunesmith.data.readers.text import Text, open_text
from tunesmith.data.table import RawTable, build

_COUNTING = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """Files with equally many lines; `names` are the columns. A line that is blank in one file is null."""

    path: Path
    names: tuple[str, ...]
    texts: tuple[Text, ...]

    def batches(self, size: int) -> Iterator[RawTable]:
        """The rows in batches of about `size` bytes of the first file."""
        rows = zip_longest(*(_lines(text, size) for text in self.texts))
        cells: list[tuple[str | None, ...]] = []
        lines: list[int] = []
        blank: list[int] = []
        length = 0
        for number, row in enumerate(rows, 1):
            length += len(row[0] or "") + 1
            if any(row):
                cells.append(row)
                lines.append(number)
            else:
                blank.append(number)
            if length >= size:
                yield self._table(cells, lines, blank)
                cells, lines, blank, length = [], [], [], 0
        yield self._table(cells, lines, blank)

    def _table(self, cells: list[tuple[str | None, ...]], lines: list[int], blank: list[int]) -> RawTable:
        columns = list(zip(*cells, strict=True)) or [()] * len(self.names)
        frame, _ = build(dict(zip(self.names, columns, strict=True)))
        return RawTable(
            path=self.path,
            frame=frame,
            lines=tuple(lines),
            format="aligned",
            encoding=str(self.texts[0].encoding),
            blank=tuple(blank),
        )


def open_aligned(path: Path, files: tuple[tuple[str, Path], ...]) -> Aligned:
    """Files that belong together, with the name of the column of each.

    Raises:
        NotFoundError: D01 when one of them does not exist.
        DataError: D03, D05 as for any text; D42 when they differ in their number of lines.
    """
    texts = tuple(open_text(file) for _, file in files)
    counts = [_count(text) for text in texts]
    for text, count in zip(texts, counts, strict=True):
        if count != counts[0]:
            line = min(count, counts[0]) + 1
            other = texts[0].path
            raise DataError("D42", file=text.path, line=line, count=count, other=other, other_count=counts[0])
    return Aligned(path=path, names=tuple(name for name, _ in files), texts=texts)


def _lines(text: Text, size: int) -> Iterator[str | None]:
    for block in text.blocks(size):
        lines = block.decode().split("\n")
        for line in lines if lines[-1] else lines[:-1]:
            yield line.rstrip("\r") if line.strip() else None


def _count(text: Text) -> int:
    count, last = 0, b"\n"
    for block in text.blocks(_COUNTING):
        count, last = count + block.count(b"\n"), block
    return count + (not last.endswith(b"\n"))
