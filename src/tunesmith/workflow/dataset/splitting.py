"""Files divided into parts, each a file of its own, as a run would divide them."""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from tunesmith.core import durable
from tunesmith.data.augmenting.part import frames_of
from tunesmith.data.prepare import prepare
from tunesmith.data.writing import AS_THEY_ARE
from tunesmith.workflow.dataset.columns import columns_of, languages_of
from tunesmith.workflow.dataset.converting import write_rows
from tunesmith.workflow.dataset.section import Section
from tunesmith.workflow.dataset.target import check_out, check_parts, ending, move_in


def split_files(section: Section, out: Path, *, suffix: str | None, layout: str | None) -> dict[str, Any]:
    """Write `train`, `validation` and `test` with that ending into the folder `out`, and `ledger.parquet`.

    Without an ending it is that of the first source, see `target.ending`.

    Raises:
        NotFoundError, DataError: when rows cannot be read, divided, or written; nothing is written then.
        UsageError: D90, U08, U10 for a folder or an ending that cannot be; DataError: D88 when parts of
            another division are in the folder.
    """
    began = time.monotonic()
    check_out(section, out, folder=True)
    suffix = ending(section, suffix, layout)
    with durable.scratch(out.absolute().parent) as folder:
        prepared = prepare(
            section.data, shape=section.shape, seed=section.seed, base=section.base, folder=folder, keep=True
        )
        made = folder / "made"
        made.mkdir()
        columns = columns_of(section, prepared.sources) if layout is None else AS_THEY_ARE
        rows = {}
        for name, path in prepared.splits.items():
            rows[name] = write_rows(
                partial(frames_of, path),
                made / f"{name}{suffix}",
                section.shape,
                layout,
                folder,
                columns,
                languages_of(prepared.sources),
            )
        prepared.ledger.write(made / "ledger.parquet")
        check_parts(section, (file.name for file in made.iterdir()), out)
        move_in(made, out)
    return {
        "out": str(out),
        "rows": rows,
        "ledger": prepared.ledger.summary(),
        "warnings": [asdict(warning) for warning in prepared.warnings],
        "seconds": round(time.monotonic() - began, 3),
    }
