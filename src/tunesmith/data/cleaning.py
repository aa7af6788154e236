"""Running cleaners: one batch through several of them, with every row they take away accounted for.

A cleaner that must see all rows before it can judge one, as for duplicates, is a subclass of `Whole`; all
others are functions (`data.clean`) and work on batches of any size, in any number of threads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import polars as pl

from tunesmith.core import components
from tunesmith.core.chosen import Component
from tunesmith.core.errors import DataError, TunesmithError
from tunesmith.data.account import Account, Rows
from tunesmith.data.clean import Cleaned

EMPTIED = "empty_after_cleaning"
"""The reason of rows of which cleaning left nothing."""

Counts = dict[str, dict[str, int]]
"""What each cleaner counted, by its name."""


def _no_rows() -> tuple[Rows, Rows]:
    return np.zeros(0, np.int64), np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a `Whole` decided: rows dropped by reason, and duplicates beside the rows that they repeat."""

    dropped: Mapping[str, Rows] = field(default_factory=dict[str, Rows])
    duplicates: tuple[Rows, Rows] = field(default_factory=_no_rows)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows went, by reason."""
        gone = {reason: len(rows) for reason, rows in self.dropped.items()}
        return {**gone, "duplicate": len(self.duplicates[0])} if len(self.duplicates[0]) else gone


class Whole(ABC):
    """A cleaner that judges rows when it has seen all of them. Its settings are keyword-only arguments.

    `folder` is its own to put things into that do not fit the memory. Each given part is judged by itself,
    unless `together` says that one must see the rows of all parts.
    """

    together: ClassVar[bool] = False

    @abstractmethod
    def __init__(self, folder: Path) -> None: ...

    @abstractmethod
    def see(self, frame: pl.DataFrame) -> None:
        """Take in the next rows; called in their order."""

    @abstractmethod
    def verdict(self) -> Verdict:
        """Which rows go; called once, after all were seen."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files; called once at the end, with or without a verdict."""

    def change(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows that stay as they are to go on after the verdict; unchanged unless a cleaner says so."""
        return frame


def whole_of(component: Component) -> type[Whole] | None:
    """The class of a cleaner that must see all rows; None for one that is a function."""
    cleaner = components.cleaners.get(component.name)
    return cleaner if isinstance(cleaner, type) and issubclass(cleaner, Whole) else None


def changes_rows(component: Component) -> bool:
    """Whether a cleaner that sees all rows changes those that stay."""
    kind = whole_of(component)
    return kind is not None and kind.change is not Whole.change


def make_whole(component: Component, folder: Path) -> Whole:
    """A cleaner that sees all rows, ready to see them."""
    made: Whole = components.cleaners.get(component.name)(folder, **component.settings)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows that went through cleaners: those that stay, where the others went, and what was counted."""

    frame: pl.DataFrame
    dropped: Mapping[str, Rows] = field(default_factory=dict[str, Rows])
    duplicates: Mapping[int, int] = field(default_factory=dict[int, int])
    counts: Counts = field(default_factory=dict)


def clean(frame: pl.DataFrame, cleaners: Iterable[Component]) -> Batch:
    """What function cleaners, one after the other, leave of a batch. Rows left without text are dropped.

    Raises:
        DataError: D27 when a cleaner does not keep to its protocol.
    """
    dropped: dict[str, list[int]] = {}
    duplicates: dict[int, int] = {}
    counts: Counts = {}
    for component in cleaners:
        cleaned = apply(component, frame)
        counts[component.name] = _counts(frame, cleaned)
        for row, reason in cleaned.dropped.items():
            dropped.setdefault(reason, []).append(row)
        duplicates |= cleaned.duplicates
        frame = cleaned.frame
    if emptied := frame.filter(_is_empty(frame))["_row"].to_list():
        dropped.setdefault(EMPTIED, []).extend(emptied)
        frame = frame.filter(~_is_empty(frame))
    arrays = {reason: np.array(rows, np.int64) for reason, rows in dropped.items()}
    return Batch(frame=frame, dropped=arrays, duplicates=duplicates, counts=counts)


def account_for(batch: Batch, account: Account) -> None:
    """Enter what a batch lost."""
    for reason, rows in batch.dropped.items():
        account.drop(rows, reason)
    if batch.duplicates:
        rows, of = (np.array(list(part), np.int64) for part in zip(*batch.duplicates.items(), strict=True))
        account.duplicates(rows, of)


def add_counts(total: Counts, counts: Mapping[str, Mapping[str, int]]) -> None:
    """Add what a batch counted to what all before it did."""
    for name, own in counts.items():
        mine = total.setdefault(name, {})
        for key, count in own.items():
            mine[key] = mine.get(key, 0) + count


def apply(component: Component, frame: pl.DataFrame) -> Cleaned:
    """Run one function cleaner and complete what it says with the rows it silently left out.

    Raises:
        DataError: D27 when it adds rows, loses `_row` or changes the columns, or, not built in, raises.
    """
    cleaner: Callable[..., Any] = components.cleaners.get(component.name)
    try:
        result = cleaner(frame, **component.settings)
    except TunesmithError:
        raise
    except Exception as error:
        if component.name in components.cleaners.builtin:
            raise
        # Whose code it is may raise anything.
        reason = f"it raised {type(error).__name__}: {error}"
        raise DataError("D27", name=component.name, reason=reason) from error
    cleaned = result if isinstance(result, Cleaned) else Cleaned(frame=result)
    _check(component.name, frame, cleaned)
    if len(cleaned.frame) == len(frame):
        return cleaned
    gone = frame["_row"].filter(~frame["_row"].is_in(cleaned.frame["_row"].implode())).to_list()
    unsaid = [row for row in gone if row not in cleaned.dropped and row not in cleaned.duplicates]
    dropped = {**cleaned.dropped, **dict.fromkeys(unsaid, component.name)}
    return Cleaned(frame=cleaned.frame, dropped=dropped, duplicates=cleaned.duplicates, counts=cleaned.counts)


def apply_to_all(component: Component, frame: pl.DataFrame) -> Cleaned:
    """Run one cleaner of either kind on rows that are all there are.

    Raises:
        DataError: D27 when it does not keep to its protocol.
    """
    if whole_of(component) is None:
        return apply(component, frame)
    with TemporaryDirectory() as folder, closing(make_whole(component, Path(folder) / "rows")) as whole:
        whole.see(frame)
        verdict = whole.verdict()
        dropped = {row: why for why, rows in verdict.dropped.items() for row in rows.tolist()}
        duplicates = dict(zip(*(rows.tolist() for rows in verdict.duplicates), strict=True))
        kept = frame.filter(~pl.col("_row").is_in([*dropped, *duplicates]))
        return Cleaned(frame=whole.change(kept), dropped=dropped, duplicates=duplicates)


def _check(name: str, before: pl.DataFrame, cleaned: Cleaned) -> None:
    after = cleaned.frame
    if not isinstance(after, pl.DataFrame):
        raise DataError("D27", name=name, reason=f"it returned {type(after).__name__}")
    if after.schema != before.schema:
        raise DataError("D27", name=name, reason=f"its columns are {', '.join(after.columns)}")
    rows, left = before["_row"], after["_row"]
    if left.n_unique() < len(left) or not left.is_in(rows.implode()).all():
        raise DataError("D27", name=name, reason="it added rows or changed `_row`")
    said = [*cleaned.dropped, *cleaned.duplicates]
    if len(set(said)) < len(said) or set(said) & set(left.to_list() if said else []):
        raise DataError("D27", name=name, reason="it keeps rows it says are gone")


def _counts(before: pl.DataFrame, cleaned: Cleaned) -> dict[str, int]:
    counts = dict(cleaned.counts)
    kept = before
    if len(cleaned.frame) < len(before):
        kept = before.filter(pl.col("_row").is_in(cleaned.frame["_row"].implode()))
    if changed := _changed(kept, cleaned.frame):
        counts["changed"] = changed
    if cleaned.duplicates:
        counts["duplicate"] = len(cleaned.duplicates)
    for reason in cleaned.dropped.values():
        counts[reason] = counts.get(reason, 0) + 1
    return counts


def _changed(before: pl.DataFrame, after: pl.DataFrame) -> int:
    """How many rows differ in a column."""
    differs = [before[name].ne_missing(after[name]) for name in before.columns if not name.startswith("_")]
    return int(pl.DataFrame([d.alias(str(i)) for i, d in enumerate(differs)]).max_horizontal().sum() or 0)


def _is_empty(frame: pl.DataFrame) -> pl.Expr:
    """Rows of which a text is empty: a text, a source or target, a question or context, or any message."""
    empty: list[pl.Expr] = []
    for name in frame.columns:
        if name in _NEEDED:
            empty.append(pl.col(name).is_null() | (pl.col(name).str.strip_chars() == ""))
        elif name in _CONVERSATIONS:
            empty.append(_has_empty_turn(name))
    return pl.any_horizontal(empty)


_NEEDED = ("text", "source", "target", "negative", "question", "context")
_CONVERSATIONS = ("messages", "prompt", "chosen", "rejected")


def _has_empty_turn(name: str) -> pl.Expr:
    """A message without content; one that calls tools needs none."""
    turn = pl.element().struct
    blank = (turn.field("content").str.strip_chars() == "") & turn.field("tool_calls").is_null()
    return pl.col(name).list.eval(blank).list.any()
