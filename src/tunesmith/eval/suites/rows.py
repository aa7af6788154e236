"""The rows of a task: what stands before every prompt, and which rows are asked."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.core.errors import DataError
from tunesmith.data import reading
from tunesmith.eval.suites.definition import SuiteTask
from tunesmith.eval.suites.prompts import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """`shown` are solved before each of `asked`; `lines` say where those stand in `file`, of `read` rows."""

    file: Path
    shown: Sequence[Row]
    asked: Sequence[Row]
    lines: Sequence[int]
    read: int

    def line(self, rows: Sequence[Row], place: int) -> int:
        """Where one of `rows`, the shown or the asked, stands; of those shown, their number."""
        return self.lines[place] if rows is self.asked else place + 1


def questions(task: SuiteTask, folder: Path, *, shots: int | None, limit: int | None) -> Questions:
    """The rows of a task; with `limit` so many of them, drawn in the same way every time.

    Raises:
        NotFoundError: D01 when its file does not exist.
        DataError: when it cannot be read; C46 when no row is left to be asked.
    """
    file = folder / task.data
    rows, lines = _read(file)
    count = task.shots if shots is None else shots
    begin = 0 if task.examples else count
    shown = _read(folder / task.examples)[0] if task.examples else rows
    places: Sequence[int] = range(begin, len(rows))
    if not places or len(shown) < count:
        raise DataError("C46", file=file, rows=len(rows), shots=count)
    if limit is not None and limit < len(places):
        places = sorted(random.Random(0).sample(places, limit))  # noqa: S311  no secret
    return Questions(
        file=file,
        shown=shown[:count],
        asked=[rows[i] for i in places],
        lines=[lines[i] for i in places],
        read=len(rows),
    )


def _read(file: Path) -> tuple[list[Row], tuple[int, ...]]:
    table = reading.read(file)
    columns = {name: table.values(name) for name in table.frame.columns}
    rows: list[Row] = [
        dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)
    ]
    return rows, table.lines
