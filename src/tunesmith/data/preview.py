"""What a cleaner would do to some rows, the rows it does most to first; nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

import polars as pl

from tunesmith.core.chosen import Component
from tunesmith.data.alignment import same_ahead
from tunesmith.data.clean import Cleaned
from tunesmith.data.cleaning import apply_to_all
from tunesmith.data.texts import text_of

# Comparing two texts takes time that grows with the square of what differs.
_COMPARED = 4000

Marks = tuple[tuple[int, int], ...]
"""Parts of a text: first character and end (exclusive), in code points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A row that a cleaner changes or drops.

    `after` is null when it goes, and `reason` says why. `removed` are the parts of `before` that are not in
    `after`, `added` those of `after` that were not in `before`.
    """

    row: int
    before: str
    after: str | None
    reason: str | None = None
    removed: Marks = ()
    added: Marks = ()


def preview(before: pl.DataFrame, component: Component, count: int) -> list[Shown]:
    """What a cleaner does to rows that are all there are, see `shown`.

    Raises:
        DataError: D27 when the cleaner does not keep to its protocol.
    """
    return shown(before, apply_to_all(component, before), count)


def shown(before: pl.DataFrame, cleaned: Cleaned, count: int) -> list[Shown]:
    """At most `count` rows that a cleaner changed or dropped; rows that say the same are shown once.

    First come changes, those of most characters first, then rows that go, in turns of both, so that neither
    hides the other.
    """
    old, new = _said(before), _said(cleaned.frame)
    moved = old.join(new, on="_row").filter(pl.col("said").ne_missing(pl.col("said_right")))
    size = (pl.col("said").str.len_chars().cast(pl.Int64) - pl.col("said_right").str.len_chars()).abs()
    moved = moved.unique(["said", "said_right"], keep="first", maintain_order=True)
    moved = moved.sort(size, descending=True, maintain_order=True).head(count)
    gone = old.filter(~pl.col("_row").is_in(new["_row"].implode()))
    gone = gone.unique("said", keep="first", maintain_order=True).head(count)
    changes = [changed(*row) for row in moved.iter_rows()]
    drops = [
        Shown(row=row, before=said or "", after=None, reason=cleaned.dropped.get(row, "duplicate"))
        for row, said in gone.iter_rows()
    ]
    half = max(count - len(drops), (count + 1) // 2)
    return [*changes[:half], *drops[: count - len(changes[:half])]]


def _said(frame: pl.DataFrame) -> pl.DataFrame:
    """The text of each row, with its labels after it where there are any: cleaners may change both."""
    parts = [text_of(frame).alias("text")]
    if "label" in frame.columns:
        parts.append(frame["label"])
    if "labels" in frame.columns:
        parts.append(frame["labels"].list.join(", "))
    said = pl.DataFrame(parts).select(pl.concat_str(pl.all(), separator=" → ", ignore_nulls=True))
    return pl.DataFrame([frame["_row"], said.to_series().alias("said")])


def changed(row: int, before: str, after: str) -> Shown:
    """A row whose text became another one, with the parts that differ."""
    start = same_ahead(before, after)
    tail = same_ahead(before[start:][::-1], after[start:][::-1])
    old, new = before[start : len(before) - tail], after[start : len(after) - tail]
    codes = [("replace", 0, len(old), 0, len(new))]
    if max(len(old), len(new)) <= _COMPARED:
        codes = list(SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes())
    removed = tuple((a + start, b + start) for kind, a, b, _, _ in codes if kind != "equal" and b > a)
    added = tuple((c + start, d + start) for kind, _, _, c, d in codes if kind != "equal" and d > c)
    return Shown(row=row, before=before, after=after, removed=removed, added=added)
