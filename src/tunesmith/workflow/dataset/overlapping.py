"""Which rows of one data set another repeats, exactly or nearly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from tunesmith.data.identity import allows_near, said
from tunesmith.data.loading import stop_for
from tunesmith.data.overlap import Pairs, alike
from tunesmith.data.pipeline import Streamed, stream
from tunesmith.data.texts import text_of
from tunesmith.workflow.dataset.section import Section, checked

_SHOWN_CHARACTERS = 300


def overlap(one: Section, other: Section, *, least: float, shown: int) -> dict[str, Any]:
    """The rows of `other` that rows of `one` repeat: how many, and the pairs that are most alike.

    `least` is how alike two texts have to be, from 0 to 1.

    Raises:
        NotFoundError, DataError: when a file cannot be read.
    """
    parts = {"train": one.data.source, "test": other.data.source}
    source = {
        name: [entry.path for found in given.values() for entry in found] for name, given in parts.items()
    }
    data = checked({"source": source, "fields": one.data.fields, "clean": [], "on_error": "drop"})
    with TemporaryDirectory() as folder:
        streamed = stream(data, shape=one.shape, base=one.base, folder=Path(folder) / "rows")
        stop_for(streamed.problems)
        sizes = {split: sum(len(frame) for frame in streamed.frames(split)) for split in ("train", "test")}
        first = next(_frames(streamed), None)
        near = first is None or allows_near(first)
        found = alike(_frames(streamed), Path(folder) / "alike", least=least if near else None, by=said)
        is_first = np.arange(len(found.rows)) < sizes["train"]
        pairs = found.across(is_first, ~is_first)
        return {
            "rows": sizes,
            "repeated": len(np.unique(pairs.held_out)),
            "exact": len(np.unique(pairs.held_out[pairs.similarity == 1])),
            "pairs": _shown(pairs, streamed, shown),
        }


def _frames(streamed: Streamed) -> Iterator[pl.DataFrame]:
    for split in ("train", "test"):
        yield from streamed.frames(split)


def _shown(pairs: Pairs, streamed: Streamed, count: int) -> list[dict[str, Any]]:
    order = np.lexsort((pairs.train, pairs.held_out, -pairs.similarity))[:count]
    wanted = np.unique(np.concatenate([pairs.train[order], pairs.held_out[order]]))
    texts = dict(_texts(streamed, wanted.tolist()))

    def row(number: int) -> dict[str, Any]:
        file, line = streamed.account.place(number)
        return {"file": Path(file).name, "line": line, "text": texts.get(number, "")}

    return [
        {
            "one": row(int(pairs.train[i])),
            "other": row(int(pairs.held_out[i])),
            "similarity": round(float(pairs.similarity[i]), 3),
        }
        for i in order
    ]


def _texts(streamed: Streamed, wanted: list[int]) -> Iterator[tuple[int, str]]:
    numbers = pl.Series(wanted, dtype=pl.Int64).implode()
    for frame in _frames(streamed):
        own = frame.filter(pl.col("_row").is_in(numbers))
        texts = text_of(own).str.slice(0, _SHOWN_CHARACTERS).fill_null("")
        yield from zip(own["_row"].to_list(), texts.to_list(), strict=True)
