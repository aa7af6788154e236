"""All usable rows of files in memory, for what is small or must be looked at as a whole."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tunesmith.core.errors import Problem
from tunesmith.core.recipe import Data
from tunesmith.data.ledger import Ledger
from tunesmith.data.loading import SourceReport
from tunesmith.data.pipeline import stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The rows that can be used, and everything that was noticed.

    `frame` has the columns of the shape and `_row`, the row's number in the ledger.
    """

    frame: pl.DataFrame
    ledger: Ledger
    sources: list[SourceReport]
    problems: list[Problem]
    warnings: list[Problem]


def load(data: Data, *, shape: str, base: Path) -> Loaded:
    """Read and map the files of `data.source`, all parts together; nothing is cleaned, divided or raised."""
    with tempfile.TemporaryDirectory() as folder:
        streamed = stream(data, shape=shape, base=base, folder=Path(folder), cleaners=())
        frames = [frame for split in streamed.rows for frame in streamed.frames(split)]
        return Loaded(
            frame=pl.concat(frames) if frames else pl.DataFrame(),
            ledger=streamed.account.ledger(),
            sources=streamed.sources,
            problems=streamed.problems,
            warnings=streamed.warnings,
        )
