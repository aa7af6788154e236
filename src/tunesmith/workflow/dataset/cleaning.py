"""Cleaning files into a file, with the account of every row beside it; or a look at what it would do."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.core import durable
from tunesmith.core.memory import peak_memory_bytes
from tunesmith.data.cleaning import clean, whole_of
from tunesmith.data.loading import stop_for
from tunesmith.data.mapping import mapper
from tunesmith.data.pipeline import stream
from tunesmith.data.preview import Shown, preview
from tunesmith.data.reading import open_file
from tunesmith.data.sources import locate
from tunesmith.workflow.dataset.converting import frames_of, write_rows
from tunesmith.workflow.dataset.section import Section
from tunesmith.workflow.dataset.target import check_out


def clean_files(section: Section, out: Path, *, layout: str | None, threads: int | None) -> dict[str, Any]:
    """Clean the files of a section into `out`, and write `OUT.ledger.parquet` beside it.

    Raises:
        NotFoundError, DataError: when files cannot be read, or rows not be written as wanted; nothing is
            written then.
        UsageError: U08 when `out` is read itself, D90 when it cannot be made.
    """
    began = time.monotonic()
    check_out(section, out)
    with durable.scratch(out.absolute().parent) as folder:
        place = folder / "rows"
        streamed = stream(
            section.data, shape=section.shape, base=section.base, folder=place, threads=threads, keep=True
        )
        stop_for(streamed.problems)
        rows = write_rows(lambda: frames_of(streamed), out, section.shape, layout, folder)
        ledger = out.with_name(f"{out.name}.ledger.parquet")
        streamed.account.write(ledger, folder / "ledger")
    return {
        "out": str(out),
        "rows": rows,
        "ledger_file": str(ledger),
        "ledger": streamed.account.summary(),
        "cleaned": streamed.counts,
        "sources": [asdict(source) for source in streamed.sources],
        "warnings": [asdict(warning) for warning in streamed.warnings],
        "seconds": round(time.monotonic() - began, 3),
        "peak_memory_bytes": peak_memory_bytes(),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a cleaner would do to the first rows of a file."""

    cleaner: str
    shown: list[Shown]


def preview_files(section: Section, count: int) -> list[Effect]:
    """What each cleaner, after those before it, would do to the first rows; `count` rows of each are shown.

    Raises:
        NotFoundError, DataError: when the file cannot be read.
    """
    first = next(iter(section.data.source.values()))[0]
    file = open_file(locate(first.path, section.base)[0])
    frame = mapper(file.sample, section.shape, section.data.fields)(file.sample)
    frame = frame.with_columns(pl.Series("_row", file.sample.lines, dtype=pl.Int64))
    frame = frame.filter(pl.col("_bad").is_null()).drop("_bad")
    effects = []
    for component in section.data.clean:
        shown = preview(frame, component, count)
        effects.append(Effect(cleaner=component.name, shown=shown))
        if whole_of(component) is None:
            frame = clean(frame, [component]).frame
    return effects
