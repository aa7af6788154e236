"""Rows of files with those that augmenters make of them: a look at some, or all of them in a file."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.core import durable
from tunesmith.core.chosen import Component
from tunesmith.core.recipe import Augment
from tunesmith.data.augmenting.making import ORIGIN, Maker, entities
from tunesmith.data.augmenting.part import Helpers, augment, frames_of
from tunesmith.data.batches import REST
from tunesmith.data.loading import stop_for
from tunesmith.data.pipeline import stream
from tunesmith.data.preview import changed
from tunesmith.data.setting_files import located
from tunesmith.data.shelf import Shelf
from tunesmith.data.texts import text_of
from tunesmith.workflow.dataset import converting
from tunesmith.workflow.dataset.previewing import Effect, first_rows, placed
from tunesmith.workflow.dataset.section import Section
from tunesmith.workflow.dataset.target import check_out

BY = "augmented_by"
"""The column that names the augmenter of a row; it stays with the row through every command."""


def preview_files(section: Section, count: int, helpers: Helpers) -> list[Effect]:
    """What each augmenter makes of the first rows; `count` rows of each are shown.

    Raises:
        NotFoundError, DataError: when a file, or one that an augmenter reads, cannot be read.
    """
    frame, account = first_rows(section)
    frame = frame.select(pl.exclude("_part"))
    others = entities([frame]) if "spans" in frame.columns else {}
    before = dict(zip(frame["_row"], text_of(frame), strict=True))
    effects = []
    for component in _augmenters(section):
        maker = Maker(by=[component], seed=section.seed, find=helpers.find, others=others)
        made = next(maker.make([frame.head(count)], {}))
        pairs = zip(made["_row"], text_of(made), strict=True)
        seen = [placed(changed(row, before[row], text), account) for row, text in pairs]
        effects.append(Effect(name=component.name, shown=seen))
    return effects


def _augmenters(section: Section) -> list[Component]:
    return [located(component, section.base) for component in _wanted(section).by]


def _wanted(section: Section) -> Augment:
    if section.data.augment is None:
        raise ValueError("the section augments nothing")
    return section.data.augment


def augment_files(section: Section, out: Path, *, layout: str | None, helpers: Helpers) -> dict[str, Any]:
    """Write the rows of a section and those made of them to `out`, the latter with their augmenter in `BY`.

    Raises:
        NotFoundError, DataError: when files cannot be read, or rows not be written as wanted.
        UsageError: U08 when `out` is read itself, D90 when it cannot be made.
    """
    began = time.monotonic()
    check_out(section, out)
    with durable.scratch(out.absolute().parent) as folder:
        streamed = stream(
            section.data, shape=section.shape, base=section.base, folder=folder / "rows", keep=True
        )
        stop_for(streamed.problems)
        train = folder / "train.parquet"
        shelf = Shelf(folder / "read")
        for frame in converting.frames_of(streamed):
            shelf.add(frame)
        shelf.write_parquet(train)
        counts = augment(
            train, (), _wanted(section), _augmenters(section),
            seed=section.seed, least=None, scratch=folder / "made", helpers=helpers,
        )  # fmt: skip
        rows = converting.write_rows(lambda: _named(train), out, section.shape, layout, folder)
    return {
        "out": str(out),
        "rows": rows,
        "augmented": counts,
        "ledger": streamed.account.summary(),
        "seconds": round(time.monotonic() - began, 3),
    }


def _named(train: Path) -> Iterator[pl.DataFrame]:
    """Rows whose augmenter is one of the cells beside their shape."""
    for frame in frames_of(train):
        cells = zip(frame[REST], frame[ORIGIN], strict=True)
        rest = [json.dumps({**json.loads(text), BY: by}, ensure_ascii=False) for text, by in cells]
        yield frame.with_columns(pl.Series(REST, rest, dtype=pl.String)).drop(ORIGIN)
