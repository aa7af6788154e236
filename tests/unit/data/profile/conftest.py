"""Profiles of small frames, and of real files as they are read and mapped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith.data import mapping
from tunesmith.data.identity import said
from tunesmith.data.profile import File, Found, Row, Tokens, measure
from tunesmith.data.reading import read
from tunesmith.data.similarity import Edges, SimilarRows
from tunesmith.data.texts import text_of


def words(texts: list[str]) -> list[int]:
    """A tokenizer that anybody can check: a token a word."""
    return [len(text.split()) for text in texts]


def finder(frames: Sequence[pl.DataFrame]) -> Callable[[Sequence[int]], list[Row]]:
    rows: dict[int, tuple[str, str | None]] = {}
    for frame in frames:
        labels = frame["label"] if "label" in frame.columns else [None] * frame.height
        rows |= dict(zip(frame["_row"], zip(text_of(frame), labels, strict=True), strict=True))
    return lambda wanted: [
        Row(file="rows.csv", line=n + 2, text=rows[n][0], label=rows[n][1]) for n in wanted
    ]


def similar(frames: Sequence[pl.DataFrame], folder: Path) -> Edges:
    search = SimilarRows(folder)
    for frame in frames:
        search.add(said(frame))
    rows = pl.concat([frame["_row"] for frame in frames]).to_numpy()
    edges = search.edges()
    search.close()
    return Edges(first=rows[edges.first], second=rows[edges.second], similarity=edges.similarity)


Measured = Callable[..., dict[str, Any]]


@pytest.fixture
def profile_of(tmp_path: Path) -> Measured:
    """The profile of frames by split, numbered through; `batch` rows at a time."""

    def made(
        shape: str, batch: int = 1_000, context: int | None = None, **frames: pl.DataFrame
    ) -> dict[str, Any]:
        start, numbered = 0, {}
        for split, frame in frames.items():
            numbers = pl.Series("_row", range(start, start + frame.height), dtype=pl.Int64)
            numbered[split] = frame.with_columns(numbers)
            start += frame.height
        every = list(numbered.values())
        return measure(
            [(s, f[i : i + batch]) for s, f in numbered.items() for i in range(0, f.height, batch)],
            shape=shape,
            files=[File(path=tmp_path / "rows.csv", format="csv", encoding="utf-8", rows=start)],
            find=finder(every),
            found=Found(edges=similar(every, tmp_path)),
            tokens=Tokens(model="words", count=words, context=context) if context else None,
        )

    return made


@pytest.fixture
def mapped(shared_data: Path) -> Callable[[str, str], pl.DataFrame]:
    """The usable rows of a file of the shared data in a shape."""

    def usable(path: str, shape: str) -> pl.DataFrame:
        table = read(shared_data / path, on_error="drop")
        frame = mapping.mapper(table, shape, {})(table)
        return frame.filter(pl.col("_bad").is_null()).drop("_bad")

    return usable
