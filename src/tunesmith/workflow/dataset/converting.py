"""Files from one layout into another, and rows of any shape into a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.core import durable
from tunesmith.data.batches import GROUP, REST, TIME
from tunesmith.data.loading import stop_for
from tunesmith.data.pipeline import Streamed, stream
from tunesmith.data.readers.json_value import decode, encode
from tunesmith.data.shapes import COLUMNS
from tunesmith.data.shelf import Shelf
from tunesmith.data.writing import AS_THEY_ARE, Columns, layouts_for, paths_of, write
from tunesmith.workflow.dataset.columns import dtypes_of, kept_cells, languages_of, note_kinds
from tunesmith.workflow.dataset.section import Section
from tunesmith.workflow.dataset.target import check_out

PREFERRED: Mapping[str, str] = {
    "text": "text",
    "labelled": "text_label",
    "multilabelled": "multi_label",
    "scored": "text_score",
    "messages": "messages",
    "preferred": "trl",
    "rated": "kto",
    "tagged": "token_tags",
    "answered": "squad",
    "paired": "pair",
    "contrasted": "triplet",
    "compared": "pair_score",
}
"""The layout in which rows of a shape are written when none is named."""


def convert_files(section: Section, out: Path, layout: str | None) -> dict[str, Any]:
    """Write the usable rows of a section's files to `out` in a layout.

    Raises:
        NotFoundError, DataError: when files cannot be read, or a row not be written in that layout; nothing
            is written then.
        UsageError: U08 when `out` is read itself, D90 when it cannot be made.
    """
    began = time.monotonic()
    check_out(section, out)
    with durable.scratch(out.absolute().parent) as folder:
        streamed = stream(
            section.data, shape=section.shape, base=section.base, folder=folder / "rows", keep=True
        )
        stop_for(streamed.problems)
        languages = languages_of(streamed.sources)
        made = paths_of(out, layout or default_layout(section.shape, out), languages)
        for path in made:
            check_out(section, path)
        rows = write_rows(
            lambda: frames_of(streamed), out, section.shape, layout, folder, languages=languages
        )
    return {
        "out": str(out),
        "files": list(map(str, made)),
        "rows": rows,
        "shape": section.shape,
        "ledger": streamed.account.summary(),
        "sources": [asdict(source) for source in streamed.sources],
        "seconds": round(time.monotonic() - began, 3),
    }


def frames_of(streamed: Streamed) -> Iterator[pl.DataFrame]:
    """The rows of all parts, one after the other."""
    for split in streamed.rows:
        for frame in streamed.frames(split):
            yield frame.drop(GROUP, TIME, strict=False)


def write_rows(
    frames: Callable[[], Iterable[pl.DataFrame]],
    out: Path,
    shape: str,
    layout: str | None,
    folder: Path,
    columns: Columns = AS_THEY_ARE,
    languages: tuple[str, str] = ("source", "target"),
) -> int:
    """Write frames of a shape to a file in a layout, or as they are into Parquet; how many rows that were.

    `columns` and `languages` are those of `writing.write`.

    Raises:
        DataError: D56, D57 when the layout does not fit.
    """
    suffix = out.suffix.lower()
    if suffix == ".parquet" and layout is None:
        return _write_parquet(frames, out, shape, folder, columns)
    beside = list(kept_cells(frames())) if suffix in (".csv", ".tsv", ".xlsx", ".parquet") else []
    chosen = layout or default_layout(shape, out)
    written = write(frames(), out, chosen, beside=beside, columns=columns, languages=languages)
    return written.rows


def default_layout(shape: str, out: Path) -> str:
    """The preferred layout of a shape, or the first that can be written to a file of that name."""
    fitting = layouts_for(shape)
    wanted = PREFERRED[shape]
    if out.suffix.lower() in fitting.get(wanted, ()):
        return wanted
    return next((name for name, endings in fitting.items() if out.suffix.lower() in endings), wanted)


def _write_parquet(
    frames: Callable[[], Iterable[pl.DataFrame]], out: Path, shape: str, folder: Path, columns: Columns
) -> int:
    kept = kept_cells(islice(frames(), 1))
    shelf, rows, seen = _shelved(frames(), Shelf(folder / "out"), shape, columns, kept)
    if seen != kept:
        # A column beside the shape is of another kind, or first there, later in the file.
        shelf.remove()
        shelf, rows, _ = _shelved(frames(), Shelf(folder / "out"), shape, columns, seen)
    shelf.write_parquet(out)
    return rows


def _shelved(
    frames: Iterable[pl.DataFrame],
    shelf: Shelf,
    shape: str,
    columns: Columns,
    kept: Mapping[str, pl.DataType],
) -> tuple[Shelf, int, dict[str, pl.DataType]]:
    """Frames as they are to be written; how many rows they have, and of which kinds `kept` should be."""
    rows = 0
    kinds: dict[str, set[str]] = {}
    for frame in frames:
        made = frame.select(pl.col(name).alias(columns.names.get(name, name)) for name in COLUMNS[shape])
        cells = [decode(text.encode()) for text in frame[REST]] if REST in frame.columns else []
        note_kinds(cells, kinds)
        beside = [_column(name, [row.get(name) for row in cells], dtype) for name, dtype in kept.items()]
        made = pl.DataFrame([*beside, *made.get_columns()])
        shelf.add(made.select(columns.ordered({name: name for name in made.columns}).values()))
        rows += len(frame)
    return shelf, rows, dtypes_of(kinds)


def _column(name: str, cells: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    if dtype == pl.String:
        cells = [cell if cell is None or isinstance(cell, str) else encode(cell) for cell in cells]
    return pl.Series(name, cells, dtype=dtype, strict=False)
