"""The training part with the rows that augmenters add to it; no other part is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tunesmith.core.chosen import Component
from tunesmith.core.recipe import Augment
from tunesmith.data.augmenting.augmenter import Find
from tunesmith.data.augmenting.checking import (
    DISAGREED,
    HELD_OUT,
    REPEATED,
    Fit,
    Repeats,
    disagreeing,
    like_held_out,
)
from tunesmith.data.augmenting.making import MADE, ORIGIN, Counts, Maker, entities
from tunesmith.data.identity import asked
from tunesmith.data.shelf import Shelf

_AT_ONCE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Helpers:
    """What augmenters need of other layers: models by their names, a classifier fitted at once."""

    find: Find
    fit: Fit


def augment(
    train: Path,
    held_out: Sequence[Path],
    wanted: Augment,
    by: Sequence[Component],
    *,
    seed: int,
    least: float | None,
    scratch: Path,
    helpers: Helpers,
) -> dict[str, dict[str, int]]:
    """Add to `train` what `by` makes of its rows, where nothing speaks against it; what each did.

    New rows have the number of the row they were made of, and the augmenter's name in `making.ORIGIN`.
    `least` is the similarity from which a row is like a held-out one.
    """
    shelf = Shelf(scratch / "made")
    others = entities(frames_of(train)) if "spans" in pl.read_parquet_schema(train) else {}
    maker = Maker(
        by=by, seed=seed, find=helpers.find, copies=wanted.copies, share=wanted.share, others=others
    )
    counts: Counts = {}
    for frame in maker.make(_originals(train), counts):
        shelf.add(frame)
    gone = _gone(shelf, train, held_out, wanted, least, scratch, helpers)
    _write(shelf, gone, train, counts, scratch)
    return {name: {key: n for key, n in sorted(own.items()) if n} for name, own in counts.items()}


def frames_of(path: Path) -> Iterator[pl.DataFrame]:
    """The rows of a part, so many at a time."""
    yield from pl.scan_parquet(path).collect_batches(chunk_size=_AT_ONCE, maintain_order=True)


def _originals(train: Path) -> Iterator[pl.DataFrame]:
    """The rows, each once: one that is trained on more often stands there several times in a row."""
    last = None
    for frame in frames_of(train):
        rows = frame.unique("_row", keep="first", maintain_order=True).filter(pl.col("_row").ne_missing(last))
        last = frame["_row"][-1] if frame.height else last
        yield rows


def _gone(
    shelf: Shelf,
    train: Path,
    held_out: Sequence[Path],
    wanted: Augment,
    least: float | None,
    scratch: Path,
    helpers: Helpers,
) -> pl.Series:
    """For each new row why it is not kept; null where it is."""
    repeats = Repeats(frames_of(train))
    repeated = [repeats.among(frame) for frame in shelf.frames()]
    texts = pl.concat([asked(frame) for frame in shelf.frames()])
    held = like_held_out(
        texts, (frame for path in held_out for frame in frames_of(path)), scratch / "held", least
    )
    reasons = np.full(len(texts), None, object)
    reasons[_disagreed(shelf, train, wanted, helpers)] = DISAGREED
    reasons[held] = HELD_OUT
    reasons[np.concatenate(repeated)] = REPEATED
    return pl.Series(reasons.tolist(), dtype=pl.String)


def _disagreed(shelf: Shelf, train: Path, wanted: Augment, helpers: Helpers) -> NDArray[np.bool_]:
    """Which rows lose their label in the eyes of a classifier that knows the rows that were read."""
    rows = pl.read_parquet(train)
    if wanted.agree == "none" or "label" not in rows.columns or rows["label"].n_unique() < 2:
        return np.zeros(sum(frame.height for frame in shelf.frames()), np.bool_)
    labels = helpers.fit(rows["text"].to_list(), rows["label"].to_list())
    return np.concatenate([disagreeing(frame, labels) for frame in shelf.frames()])


def _write(shelf: Shelf, gone: pl.Series, train: Path, counts: Counts, scratch: Path) -> None:
    whole, at = Shelf(scratch / "augmented"), 0
    for frame in frames_of(train):
        whole.add(frame.with_columns(pl.lit(None, pl.String).alias(ORIGIN)))
    for frame in shelf.frames():
        reasons = gone[at : at + frame.height]
        at += frame.height
        for name, reason in zip(frame[ORIGIN], reasons, strict=True):
            if reason is not None:
                counts[name].update({reason: 1, MADE: -1})
        whole.add(frame.filter(reasons.is_null()))
    whole.write_parquet(train)


def total(counts: Mapping[str, Mapping[str, int]]) -> int:
    """How many rows were added."""
    return sum(own.get(MADE, 0) for own in counts.values())
