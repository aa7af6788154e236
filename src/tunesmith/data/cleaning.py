"""Running a recipe's cleaners one after the other, with every row they take away accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import polars as pl

from tunesmith.core import components
from tunesmith.core.errors import DataError
from tunesmith.core.recipe import Component
from tunesmith.data.clean import Cleaned
from tunesmith.data.ledger import Ledger

EMPTIED = "empty_after_cleaning"
"""The reason of rows of which cleaning left nothing."""


def clean(
    frame: pl.DataFrame, cleaners: Iterable[Component], ledger: Ledger
) -> tuple[pl.DataFrame, Ledger, dict[str, dict[str, int]]]:
    """What is left of `frame`, the ledger with what is not, and what each cleaner counted.

    Raises:
        DataError: D27 when a cleaner does not keep to its protocol.
    """
    counts: dict[str, dict[str, int]] = {}
    for component in cleaners:
        cleaned = apply(component, frame)
        counts[component.name] = _counts(component.name, frame, cleaned)
        ledger = _account(ledger, cleaned)
        frame = cleaned.frame
    emptied = frame.filter(_is_empty(frame))["_row"].to_list()
    return frame.filter(~_is_empty(frame)), ledger.drop(emptied, EMPTIED), counts


def apply(component: Component, frame: pl.DataFrame) -> Cleaned:
    """Run one cleaner and complete what it says with the rows it silently left out.

    Raises:
        DataError: D27 when it adds rows, loses `_row` or changes the columns.
    """
    cleaner: Callable[..., Any] = components.cleaners.get(component.name)
    result = cleaner(frame, **component.settings)
    cleaned = result if isinstance(result, Cleaned) else Cleaned(frame=result)
    _check(component.name, frame, cleaned)
    gone = set(frame["_row"].to_list()) - set(cleaned.frame["_row"].to_list())
    unsaid = gone - cleaned.dropped.keys() - cleaned.duplicates.keys()
    dropped = {**cleaned.dropped, **dict.fromkeys(sorted(unsaid), component.name)}
    return Cleaned(frame=cleaned.frame, dropped=dropped, duplicates=cleaned.duplicates, counts=cleaned.counts)


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
    if len(set(said)) < len(said) or set(said) & set(left.to_list()):
        raise DataError("D27", name=name, reason="it keeps rows it says are gone")


def _account(ledger: Ledger, cleaned: Cleaned) -> Ledger:
    by_reason: dict[str, list[int]] = {}
    for row, reason in cleaned.dropped.items():
        by_reason.setdefault(reason, []).append(row)
    for reason, rows in by_reason.items():
        ledger = ledger.drop(rows, reason)
    return ledger.duplicates(cleaned.duplicates)


def _counts(name: str, before: pl.DataFrame, cleaned: Cleaned) -> dict[str, int]:
    counts = dict(cleaned.counts)
    content = "messages" if "messages" in before.columns else "text"
    kept = before.filter(pl.col("_row").is_in(cleaned.frame["_row"].implode())).sort("_row")
    changed = kept.filter(kept[content] != cleaned.frame.sort("_row")[content]).height
    if changed:
        counts["changed"] = changed
    if cleaned.duplicates:
        counts["duplicate"] = len(cleaned.duplicates)
    for reason in cleaned.dropped.values():
        counts[reason] = counts.get(reason, 0) + 1
    return counts


def _is_empty(frame: pl.DataFrame) -> pl.Expr:
    if "messages" not in frame.columns:
        return pl.col("text").is_null() | (pl.col("text").str.strip_chars() == "")
    blank = pl.element().struct.field("content").str.strip_chars() == ""
    return pl.col("messages").list.eval(blank).list.any()
