"""Running a registered cleaner on a few texts."""

from __future__ import annotations

from typing import Any

import polars as pl

from tunesmith.core import components
from tunesmith.data.clean import Cleaned


def rows(**columns: Any) -> pl.DataFrame:
    return pl.DataFrame(columns).with_row_index("_row").cast({"_row": pl.Int64})


def run(name: str, frame: pl.DataFrame, **settings: Any) -> Cleaned:
    result = components.cleaners.get(name)(frame, **settings)
    return result if isinstance(result, Cleaned) else Cleaned(frame=result)


def change(name: str, *texts: str | None, **settings: Any) -> list[str | None]:
    return run(name, rows(text=list(texts)), **settings).frame["text"].to_list()


def dropped(name: str, *texts: str | None, **settings: Any) -> dict[int, str]:
    return dict(run(name, rows(text=list(texts)), **settings).dropped)
