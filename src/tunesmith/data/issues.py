"""Rows that are probably wrong, the surest first, beyond what cleaning repairs by itself.

`find` knows which kinds of doubt a shape allows; the modules of `data.hygiene` know how to find each. Nothing
is changed: issues are for a person to look at, here or in a file that `write` makes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tunesmith.core import durable
from tunesmith.core.errors import DataError
from tunesmith.data import shapes
from tunesmith.data.hygiene.answers import wrong_answers
from tunesmith.data.hygiene.issue import Issue, ranked
from tunesmith.data.hygiene.tags import wrong_tags
from tunesmith.data.hygiene.untagged import untagged
from tunesmith.data.hygiene.variants import label_variants
from tunesmith.data.hygiene.wrong_labels import wrong_labels
from tunesmith.data.writers.delimited import cell_of, escape

if TYPE_CHECKING:
    from tunesmith.data.hygiene.wrong_labels import Vectors

FORMATS = (".jsonl", ".csv")
"""The endings of the files that `write` can make."""

_COLUMNS = ("row", "file", "line", "kind", "score", "given", "suggested", "detail")


def find(frame: pl.DataFrame, shape: str, *, seed: int = 0, vectors: Vectors | None = None) -> list[Issue]:
    """All issues of a frame in a shape of `data.shapes`, the surest first; none for shapes without a check.

    Rows are named by the column `_row`, or by their place where there is none. `vectors` [rows, features],
    such as a model's embeddings, replace words and characters in the search for wrong labels. The same frame,
    seed and vectors give the same issues.

    Raises:
        ValueError: there is not one vector for each row.
    """
    if "_row" not in frame.columns:
        frame = frame.with_row_index("_row").with_columns(pl.col("_row").cast(pl.Int64))
    if shape == shapes.LABELLED:
        return ranked([*label_variants(frame), *wrong_labels(frame, seed=seed, vectors=vectors)])
    if shape == shapes.MULTILABELLED:
        return ranked(label_variants(frame))
    if shape == shapes.TAGGED:
        return ranked([*wrong_tags(frame), *untagged(frame)])
    return ranked(wrong_answers(frame)) if shape == shapes.ANSWERED else []


def write(
    issues: Iterable[Issue], path: Path, *, places: Mapping[int, tuple[str, int]] | None = None
) -> None:
    """Write issues to `path` in their order, as JSON Lines or CSV by its ending, all of it or nothing.

    `places` says in which file and on which line a row stands; without it those columns are empty.

    Raises:
        DataError: D73 when the ending is neither.
    """
    if path.suffix not in FORMATS:
        raise DataError("D73", file=path, known=", ".join(FORMATS))
    records = (_record(issue, (places or {}).get(issue.row, (None, None))) for issue in issues)
    content = _json_lines(records) if path.suffix == ".jsonl" else _csv(records)
    durable.write_bytes(path, content.encode("utf-8"))


def _record(issue: Issue, place: tuple[str | None, int | None]) -> dict[str, Any]:
    values = {**asdict(issue), "file": place[0], "line": place[1], "score": round(issue.score, 4)}
    return {name: values[name] for name in _COLUMNS}


def _json_lines(records: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _csv(records: Iterable[dict[str, Any]]) -> str:
    """The byte order mark makes Excel read Chinese; `detail` is JSON in its cell; no cell is a formula."""
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, _COLUMNS)
    writer.writeheader()
    for record in records:
        cells = {**record, "detail": json.dumps(record["detail"], ensure_ascii=False)}
        writer.writerow({name: escape(cell_of(cell)) for name, cell in cells.items()})
    return "\ufeff" + buffer.getvalue()
