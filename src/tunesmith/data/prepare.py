"""Everything between files and rows to train on: read, map, clean, divide, and account for every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tunesmith.core.errors import DataError, Problem, TunesmithError
from tunesmith.core.recipe import Data
from tunesmith.data.cleaning import clean
from tunesmith.data.duplicates import keys
from tunesmith.data.ledger import Ledger
from tunesmith.data.loading import ROW_CODES, Loaded, SourceReport, load, stop_for
from tunesmith.data.sources import WHOLE, source_paths
from tunesmith.data.split import TRAIN, assign
from tunesmith.data.table import some

__all__ = ["Prepared", "SourceReport", "inspect", "prepare", "source_paths"]

HELD_OUT = ("validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Rows ready for a task.

    `splits` holds `train`, `validation` and `test` as far as they exist, each with the columns of the shape
    and `_row`, the row's number in the ledger. `cleaned` says what each cleaner counted.
    """

    splits: dict[str, pl.DataFrame]
    ledger: Ledger
    sources: list[SourceReport]
    warnings: list[Problem]
    cleaned: Mapping[str, Mapping[str, int]]


def prepare(data: Data, *, shape: str, seed: int, base: Path) -> Prepared:
    """Carry out the `data` section of a recipe; a pure function of its arguments and the files.

    Raises:
        NotFoundError: D01 when files are missing.
        DataError: with all problems found in the files; D09 when there is a single class; D28 when nothing
            is left to train on.
    """
    loaded = load(data, shape=shape, base=base)
    stop_for(loaded.problems)
    frames, ledger, counts = _clean_all(loaded, data)
    # Before dividing, so that no row of a given test part gets into validation; and after, for what repeats
    # when `dedup` is not among the cleaners.
    frames, ledger, given = _drop_overlap(frames, ledger)
    stop_for(_single_class(frames.get(WHOLE, frames.get(TRAIN)), loaded.sources[0].path))
    frames = _divide(frames, ledger, data, seed)
    frames, ledger, cut = _drop_overlap(frames, ledger)
    for name in HELD_OUT:
        if name in frames:
            ledger = ledger.hold_out(frames[name]["_row"].to_list(), name)
    _check_rest(frames, ledger, loaded)
    return Prepared(
        splits={name: frame.drop("_group", strict=False) for name, frame in frames.items()},
        ledger=ledger,
        sources=loaded.sources,
        warnings=[*loaded.warnings, *given, *cut, *_label_warnings(frames, ledger)],
        cleaned=counts,
    )


def inspect(data: Data, *, shape: str, base: Path, seed: int = 0) -> list[Problem]:
    """All mistakes in the data at once, without raising."""
    try:
        loaded = load(data, shape=shape, base=base)
        if loaded.problems:
            return [*loaded.problems, *_class_problems(loaded)]
        prepare(data, shape=shape, seed=seed, base=base)
    except TunesmithError as error:
        return list(error.problems)
    return []


def _class_problems(loaded: Loaded) -> list[Problem]:
    """A single class beside mistakes in rows; unless whole files are missing, which may hold the others."""
    frame = loaded.frames.get(WHOLE, loaded.frames.get(TRAIN))
    if any(problem.code not in ROW_CODES for problem in loaded.problems):
        return []
    return _single_class(frame, loaded.sources[0].path)


def _single_class(frame: pl.DataFrame | None, file: str) -> list[Problem]:
    if frame is None or "label" not in frame.columns:
        return []
    labels = frame["label"].drop_nulls()
    if labels.n_unique() != 1:
        return []
    return [Problem(code="D09", file=file, line=1, values={"label": labels[0], "rows": len(labels)})]


def _clean_all(
    loaded: Loaded, data: Data
) -> tuple[dict[str, pl.DataFrame], Ledger, dict[str, dict[str, int]]]:
    """Each given split by itself: a row of the test part is no duplicate of one to train on."""
    ledger = loaded.ledger
    frames: dict[str, pl.DataFrame] = {}
    total: dict[str, dict[str, int]] = {}
    for split, frame in loaded.frames.items():
        frames[split], ledger, counts = clean(frame, data.clean, ledger)
        for name, own in counts.items():
            before = total.setdefault(name, {})
            total[name] = {k: before.get(k, 0) + own.get(k, 0) for k in (*before, *own)}
    return frames, ledger, total


def _divide(
    frames: dict[str, pl.DataFrame], ledger: Ledger, data: Data, seed: int
) -> dict[str, pl.DataFrame]:
    """The splits that were not given, cut from the whole or from `train`; empty ones do not exist."""
    whole = frames.get(WHOLE, frames.get(TRAIN))
    if whole is None:
        return {}
    shares = {"test": data.split.test, "validation": data.split.validation}
    names = assign(
        ledger.frame["hash"].gather(whole["_row"]).to_list(),
        {name: share for name, share in shares.items() if name not in frames},
        seed=seed,
        labels=whole["label"].to_list() if "label" in whole.columns else None,
        groups=whole["_group"].to_list() if "_group" in whole.columns else None,
    )
    place = pl.Series(names, dtype=pl.String)
    cut = {name: whole.filter(place == name) for name in (TRAIN, *HELD_OUT)}
    given = {name: frames[name] for name in HELD_OUT if name in frames}
    return {name: frame for name, frame in {**cut, **given}.items() if len(frame)}


def _drop_overlap(
    frames: dict[str, pl.DataFrame], ledger: Ledger
) -> tuple[dict[str, pl.DataFrame], Ledger, list[Problem]]:
    """Rows to train on that also stand in a held-out part leave training, so that scores mean something."""
    held = [keys(frames[name]) for name in HELD_OUT if name in frames]
    if TRAIN not in frames or not held:
        return frames, ledger, []
    train = frames[TRAIN]
    leaks = keys(train).is_in(pl.concat(held).implode())
    if not leaks.any():
        return frames, ledger, []
    rows = train.filter(leaks)["_row"]
    lines = ledger.frame["line"].gather(rows).to_list()
    file = ledger.frame["file"][rows[0]]
    values = {"count": len(rows), "lines": some(lines)}
    warning = Problem(code="D32", file=file, line=lines[0], values=values)
    kept = {**frames, TRAIN: train.filter(~leaks)}
    return kept, ledger.drop(rows.to_list(), "overlap"), [warning]


def _check_rest(frames: Mapping[str, pl.DataFrame], ledger: Ledger, loaded: Loaded) -> None:
    file = loaded.sources[0].path
    train = frames.get(TRAIN)
    if train is None or train.is_empty():
        summary = ledger.summary()
        gone = {**summary["dropped"], "duplicate": summary["duplicate"], **summary["held_out"]}
        said = ", ".join(f"{name} {count}" for name, count in gone.items() if count)
        raise DataError("D28", file=file, read=summary["read"], gone=said)
    stop_for(_single_class(train, file))


def _label_warnings(frames: Mapping[str, pl.DataFrame], ledger: Ledger) -> list[Problem]:
    train = frames[TRAIN]
    if "label" not in train.columns:
        return []
    return [*_lonely(train, ledger), *_unseen(frames, ledger)]


def _lonely(train: pl.DataFrame, ledger: Ledger) -> list[Problem]:
    single = train.filter(pl.len().over("label") == 1)
    if single.is_empty():
        return []
    labels = some(sorted(single["label"].to_list()))
    return [_at(ledger, single, "D33", count=len(single), labels=labels)]


def _unseen(frames: Mapping[str, pl.DataFrame], ledger: Ledger) -> list[Problem]:
    known = frames[TRAIN]["label"].unique().implode()
    found = []
    for name in HELD_OUT:
        if name in frames:
            strange = frames[name].filter(~pl.col("label").is_in(known))
            if len(strange):
                labels = some(sorted(set(strange["label"].to_list())))
                found.append(_at(ledger, strange, "D34", split=name, count=len(strange), labels=labels))
    return found


def _at(ledger: Ledger, frame: pl.DataFrame, code: str, **values: object) -> Problem:
    """A problem whose place is that of the first row of `frame`."""
    entry = ledger.frame.row(frame["_row"][0], named=True)
    return Problem(code=code, file=entry["file"], line=entry["line"], values=values)
