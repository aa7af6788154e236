"""What was labelled, as rows in a file of any layout of their shape, at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from tunesmith.core import durable
from tunesmith.core.plain import dumps
from tunesmith.core.store import Store
from tunesmith.core.store.labelling import Item
from tunesmith.data.annotation import answers
from tunesmith.data.annotation.kinds import SHAPES
from tunesmith.data.annotation.outcome import Outcome, outcomes
from tunesmith.data.batches import REST
from tunesmith.data.layouts import frames
from tunesmith.data.shapes import COLUMNS
from tunesmith.workflow.dataset.converting import write_rows

DECISIONS = "decisions"
"""The layout that is every single decision, one a line, instead of what they come to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """How many rows were written, and how many items have no answer yet: nobody's, skipped, or two."""

    rows: int
    open: int
    skipped: int
    disagreeing: int


def export(store: Store, name: str, out: Path, layout: str | None = None) -> Exported:
    """Write what a project's decisions come to, row by row; items without an answer are counted, not written.

    Raises:
        NotFoundError: L01 when there is no such project.
        DataError: D56, D57 when the layout does not fit.
    """
    project = store.project(name)
    found = outcomes(project.task, store.standing_decisions(name))
    by_number = {item.number: item for item in store.items(name)}
    if layout == DECISIONS:
        _write_decisions(store, name, out)
        rows = len(store.decisions(name))
    else:
        made = frame(project.task, [(by_number[one.item], one) for one in found])
        with TemporaryDirectory() as folder:
            rows = write_rows(lambda: [made], out, SHAPES[project.task], layout, Path(folder))
    disagreeing = sum(one.disagrees for one in found)
    answered = sum(one.answer is not None for one in found)
    return Exported(
        rows=rows,
        open=len(by_number) - len(found),
        skipped=len(found) - answered - disagreeing,
        disagreeing=disagreeing,
    )


def frame(task: str, found: Sequence[tuple[Item, Outcome]]) -> pl.DataFrame:
    """Items with their answers in the shape of their kind; the cells beside them come along."""
    shape = SHAPES[task]
    rows: list[dict[str, Any]] = []
    beside: list[str] = []
    for item, outcome in found:
        row = None if outcome.answer is None else answers.row(task, item.content, outcome.answer)
        if row is not None:
            rows.append(row)
            beside.append(dumps(item.content.get("beside", {})))
    values = [[row[column] for column in COLUMNS[shape]] for row in rows]
    made = frames.build(shape, values, [None] * len(rows)).drop("_bad")
    if any(cells != "{}" for cells in beside):
        made = made.with_columns(pl.Series(REST, beside, dtype=pl.String))
    return made


def _write_decisions(store: Store, name: str, out: Path) -> None:
    lines = (dumps(asdict(decision)) + "\n" for decision in store.decisions(name))
    durable.write_bytes(out, "".join(lines).encode())
