"""Everything between files and rows to train on: read, map, clean, divide, and account for every row."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from tunesmith.core.errors import DataError, Problem, TunesmithError
from tunesmith.core.recipe import Data
from tunesmith.data import setting_files
from tunesmith.data.augmenting.part import Helpers, augment
from tunesmith.data.batches import GROUP, TIME
from tunesmith.data.class_weights import class_weights
from tunesmith.data.dividing import HELD_OUT, Division, divide
from tunesmith.data.ledger import Ledger
from tunesmith.data.loading import ROW_CODES, SourceReport, stop_for
from tunesmith.data.pipeline import Streamed, stream
from tunesmith.data.shelf import Shelf
from tunesmith.data.sources import WHOLE, source_paths
from tunesmith.data.split import TRAIN
from tunesmith.data.table import some

__all__ = ["WEIGHT", "Prepared", "SourceReport", "inspect", "prepare", "source_paths"]

WEIGHT = "_weight"
"""The column of the weights of rows in the loss, with `balance: weights`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Rows ready for a task.

    `splits` are Parquet files of `train`, `validation` and `test` as far as they have rows, each with the
    columns of the shape and `_row`, the row's number in the ledger; a row that is trained on more than once
    stands there as often. `cleaned` says what each cleaner counted, `augmented` what each augmenter did: the
    rows that it made are those of `train` with its name in `making.ORIGIN`, and none of the ledger's.
    """

    splits: Mapping[str, Path]
    ledger: Ledger
    sources: list[SourceReport]
    warnings: list[Problem]
    cleaned: Mapping[str, Mapping[str, int]]
    augmented: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])

    def frame(self, split: str) -> pl.DataFrame:
        """The rows of a split in memory."""
        return pl.read_parquet(self.splits[split])


def prepare(
    data: Data,
    *,
    shape: str,
    seed: int,
    base: Path,
    folder: Path,
    keep: bool = False,
    helpers: Helpers | None = None,
) -> Prepared:
    """Carry out the `data` section of a recipe; a pure function of its arguments and the files.

    Parts are written into `folder`, as `train.parquet` and so on; with `keep`, cells that the shape has no
    place for go with them (`batches.REST`). Rows are augmented where there are `helpers` for it.

    Raises:
        NotFoundError: D01 when files are missing.
        DataError: with all problems found in the files; D09 when there is a single class; D28 when nothing
            is left to train on; D80 when rows to train on stand in a held-out part too.
    """
    scratch = folder / "scratch"
    try:
        streamed = stream(data, shape=shape, base=base, folder=scratch, keep=keep)
        stop_for([*streamed.problems, *_class_problems(streamed)])
        division = divide(streamed, data, seed, scratch)
        _check_rest(division, streamed)
        splits = {name: folder / f"{name}.parquet" for name in division.parts}
        _write(division, streamed, splits, data, scratch)
        augmented = _augment(data, splits, seed, base, scratch, helpers) if helpers else {}
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Prepared(
        splits=splits,
        ledger=streamed.account.ledger(),
        sources=streamed.sources,
        warnings=[*streamed.warnings, *division.warnings, *_label_warnings(division, streamed)],
        cleaned=streamed.counts,
        augmented=augmented,
    )


def _augment(
    data: Data, splits: Mapping[str, Path], seed: int, base: Path, scratch: Path, helpers: Helpers
) -> dict[str, dict[str, int]]:
    wanted = data.augment
    if wanted is None:
        return {}
    return augment(
        splits[TRAIN],
        [path for name, path in splits.items() if name != TRAIN],
        wanted,
        [setting_files.located(component, base) for component in wanted.by],
        seed=seed,
        least=data.split.similar,
        scratch=scratch,
        helpers=helpers,
    )


def inspect(data: Data, *, shape: str, base: Path, seed: int = 0) -> list[Problem]:
    """All mistakes in the data at once, without raising."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            prepare(data, shape=shape, seed=seed, base=base, folder=Path(folder))
    except TunesmithError as error:
        return list(error.problems)
    return []


def _class_problems(streamed: Streamed) -> list[Problem]:
    """A single class, also beside mistakes in rows; not where a file is missing: it may hold others."""
    split = next((name for name in (WHOLE, TRAIN) if name in streamed.rows), None)
    if split is None or any(problem.code not in ROW_CODES for problem in streamed.problems):
        return []
    return _single_class(streamed.facts(split), streamed.sources[0].path)


def _single_class(frame: pl.DataFrame, file: str) -> list[Problem]:
    if "label" not in frame.columns:
        return []
    labels = frame["label"].drop_nulls()
    if labels.n_unique() != 1:
        return []
    return [Problem(code="D09", file=file, line=1, values={"label": labels[0], "rows": len(labels)})]


def _write(
    division: Division, streamed: Streamed, splits: Mapping[str, Path], data: Data, scratch: Path
) -> None:
    size = len(streamed.account)
    part = np.full(size, -1, np.int8)
    copies = np.zeros(size, np.int64)
    for number, name in enumerate(splits):
        part[division.rows[division.places == name]] = number
    copies[division.rows] = division.copies
    weights = class_weights(division.part(TRAIN)["label"].to_list()) if _weighs(division, data) else None
    shelves = {name: Shelf(scratch / f"part-{name}") for name in splits}
    for given in streamed.rows:
        for frame in streamed.frames(given):
            rows = frame["_row"].to_numpy()
            tidy = frame.drop(GROUP, TIME, strict=False)
            for number, (name, shelf) in enumerate(shelves.items()):
                at = np.flatnonzero(part[rows] == number)
                own = tidy[np.repeat(at, copies[rows[at]])]
                shelf.add(_with_weights(own, weights) if name == TRAIN else own)
    for name, shelf in shelves.items():
        shelf.write_parquet(splits[name])


def _weighs(division: Division, data: Data) -> bool:
    return data.balance == "weights" and "label" in division.facts.columns


def _with_weights(frame: pl.DataFrame, weights: Mapping[str, float] | None) -> pl.DataFrame:
    if weights is None:
        return frame
    labels, values = list(weights), list(weights.values())
    weight = pl.col("label").replace_strict(labels, values, return_dtype=pl.Float64)
    return frame.with_columns(weight.alias(WEIGHT))


def _check_rest(division: Division, streamed: Streamed) -> None:
    file = streamed.sources[0].path
    train = division.part(TRAIN)
    if train.is_empty():
        summary = streamed.account.summary()
        gone = {**summary["dropped"], "duplicate": summary["duplicate"], **summary["held_out"]}
        said = ", ".join(f"{name} {count}" for name, count in gone.items() if count)
        raise DataError("D28", file=file, read=summary["read"], gone=said)
    stop_for(_single_class(train, file))


def _label_warnings(division: Division, streamed: Streamed) -> list[Problem]:
    if "label" not in division.facts.columns:
        return []
    return [*_lonely(division, streamed), *_unseen(division, streamed)]


def _lonely(division: Division, streamed: Streamed) -> list[Problem]:
    single = division.part(TRAIN).filter(pl.len().over("label") == 1)
    if single.is_empty():
        return []
    labels = some(sorted(single["label"].to_list()))
    return [_at(streamed, single, "D33", count=len(single), labels=labels)]


def _unseen(division: Division, streamed: Streamed) -> list[Problem]:
    known = division.part(TRAIN)["label"].unique().implode()
    found = []
    for name in HELD_OUT:
        strange = division.part(name).filter(~pl.col("label").is_in(known))
        if len(strange):
            labels = some(sorted(set(strange["label"].to_list())))
            found.append(_at(streamed, strange, "D34", split=name, count=len(strange), labels=labels))
    return found


def _at(streamed: Streamed, frame: pl.DataFrame, code: str, **values: object) -> Problem:
    """A problem whose place is that of the first row of `frame`."""
    file, line = streamed.account.place(int(frame["_row"][0]))
    return Problem(code=code, file=file, line=line, values=values)
