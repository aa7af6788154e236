"""Cleaning files into a file, with the account of every row beside it."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tunesmith.core import durable
from tunesmith.core.memory import peak_memory_bytes
from tunesmith.data.loading import stop_for
from tunesmith.data.pipeline import stream
from tunesmith.data.writing import AS_THEY_ARE, paths_of
from tunesmith.workflow.dataset.columns import columns_of, languages_of
from tunesmith.workflow.dataset.converting import default_layout, frames_of, write_rows
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
        columns = columns_of(section, streamed.sources) if layout is None else AS_THEY_ARE
        languages = languages_of(streamed.sources)
        made = paths_of(out, layout or default_layout(section.shape, out), languages)
        for path in made:
            check_out(section, path)
        rows = write_rows(lambda: frames_of(streamed), out, section.shape, layout, folder, columns, languages)
        ledger = out.with_name(f"{out.name}.ledger.parquet")
        streamed.account.write(ledger, folder / "ledger")
    return {
        "out": str(out),
        "files": list(map(str, made)),
        "rows": rows,
        "ledger_file": str(ledger),
        "ledger": streamed.account.summary(),
        "cleaned": streamed.counts,
        "sources": [asdict(source) for source in streamed.sources],
        "warnings": [asdict(warning) for warning in streamed.warnings],
        "seconds": round(time.monotonic() - began, 3),
        "peak_memory_bytes": peak_memory_bytes(),
    }
