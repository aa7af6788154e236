"""Rows of any shape as what is shown to be labelled, and what they say already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tunesmith.core.errors import UsageError
from tunesmith.data import shapes
from tunesmith.data.annotation.kinds import (
    ANSWER,
    CLASS,
    CORRECTION,
    MULTILABEL,
    PREFERENCE,
    RATING,
    SHAPES,
    SPANS,
)
from tunesmith.data.batches import REST
from tunesmith.data.readers.json_value import decode
from tunesmith.data.texts import text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One row by its number: what is shown, and the answer that it holds already, if any."""

    content: dict[str, Any]
    given: dict[str, Any] | None = None
    row: int = 0


def contents(frame: pl.DataFrame, shape: str, kind: str, *, seed: int = 0) -> Iterator[Shown]:
    """The rows of a frame for a kind of labelling; rows without any text are left out.

    Which of two answers is `a` follows from the seed. Cells beside the shape are kept in `beside`.

    Raises:
        UsageError: L08 when rows of that shape cannot be labelled so.
    """
    if kind in (ANSWER, PREFERENCE) and shape != SHAPES[kind]:
        raise UsageError("L08", shape=shape, kind=kind, needed=SHAPES[kind])
    rng = np.random.default_rng(seed)
    for row, text in zip(frame.iter_rows(named=True), text_of(frame), strict=True):
        shown = _shown(row, text or "", shape, kind, rng)
        if any(str(part).strip() for part in shown.content.values()):
            beside = decode(row[REST].encode()) if REST in row else {}
            content = {**shown.content, **({"beside": beside} if beside else {})}
            yield Shown(content=content, given=shown.given, row=row["_row"])


def _shown(row: dict[str, Any], text: str, shape: str, kind: str, rng: np.random.Generator) -> Shown:
    if kind == ANSWER:
        content = {"question": row["question"], "text": row["context"]}
        return Shown(content=content, given=None if row["answers"] is None else {"answers": row["answers"]})
    if kind == PREFERENCE:
        return _pair(row, rng)
    if kind == CORRECTION and shape == shapes.PAIRED:
        return Shown(content={"source": row["source"], "text": row["target"]}, given={"text": row["target"]})
    return Shown(content={"text": text}, given=_given(row, shape, kind))


def _given(row: dict[str, Any], shape: str, kind: str) -> dict[str, Any] | None:
    if shape != SHAPES[kind]:
        return None
    column = {CLASS: "label", MULTILABEL: "labels", SPANS: "spans", RATING: "score"}[kind]
    value = row[column]
    # No spans at all say less that there are none than that nobody looked.
    if value is None or value == []:
        return None
    return {"rating": round(value)} if kind == RATING else {column: value}


def _pair(row: dict[str, Any], rng: np.random.Generator) -> Shown:
    """The preferred answer is `a` as often as `b`: a habit of taking the first one must not be rewarded."""
    chosen = "ab"[rng.integers(2)]
    other = "b" if chosen == "a" else "a"
    said = {chosen: _joined(row["chosen"]), other: _joined(row["rejected"])}
    content = {"prompt": _joined(row["prompt"]), "a": said["a"], "b": said["b"]}
    return Shown(content=content, given={"choice": chosen})


def _joined(turns: list[dict[str, Any]]) -> str:
    return "\n".join(turn["content"] or "" for turn in turns)
