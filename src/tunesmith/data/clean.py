"""The cleaners a recipe may list under `data.clean`.

A cleaner is a function `name(frame, *, settings)`. `frame` has the columns of the task's shape
(`data.shapes`) and `_row`, the number of each row, which it must keep. It returns either

* the frame, with texts changed or rows left out (they are dropped with the cleaner's name as the reason), or
* a `Cleaned`, which also says why rows are gone, what they repeat, or what was counted.

It must not add rows, change `_row`, or depend on anything but its arguments. `map_texts` applies a function
to the texts of any shape, so that a text cleaner need not know what a conversation is. One of your own:

    def lower(frame: pl.DataFrame, *, keep_names: bool = False) -> pl.DataFrame:
        return map_texts(frame, lambda texts: texts.str.to_lowercase())
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What a cleaner did.

    `frame` holds the rows that stay; `dropped` the reason and `duplicates` the repeated row of rows that do
    not, by their `_row`; `counts` anything worth telling.
    """

    frame: pl.DataFrame
    dropped: Mapping[int, str] = field(default_factory=dict[int, str])
    duplicates: Mapping[int, int] = field(default_factory=dict[int, int])
    counts: Mapping[str, int] = field(default_factory=dict[str, int])


def map_texts(frame: pl.DataFrame, change: Callable[[pl.Series], pl.Series]) -> pl.DataFrame:
    """`frame` with `change` applied to its texts, be they a column or the contents of messages."""
    import polars as pl

    if "messages" not in frame.columns:
        return frame.with_columns(change(frame["text"]).alias("text"))
    if frame.is_empty():
        return frame
    turns = frame.select("messages").with_row_index("_at").explode("messages").unnest("messages")
    turns = turns.with_columns(change(turns["content"]).alias("content"))
    again = turns.group_by("_at", maintain_order=True).agg(messages=pl.struct("role", "content"))
    return frame.with_columns(again["messages"])


def normalise(frame: pl.DataFrame) -> pl.DataFrame:
    """One form for what looks the same; Chinese punctuation and indentation stay as they are.

    Unicode NFC, half-width Latin letters, digits and spaces, nothing invisible, no runs of spaces in a line.
    """
    from tunesmith.data.characters import normalised

    return map_texts(frame, normalised)


def strip_html(frame: pl.DataFrame) -> pl.DataFrame:
    """Tags, comments, scripts and styles removed, entities decoded.

    What is no HTML tag (`a < b`, `List<String>`) and code between backticks stays.
    """
    from tunesmith.data.markup import stripped

    return map_texts(frame, stripped)


def fix_mojibake(frame: pl.DataFrame) -> pl.DataFrame:
    """UTF-8 that was read as another encoding and saved again is repaired (ftfy, its encoding step only)."""
    from tunesmith.data.characters import repaired

    return map_texts(frame, repaired)


def mask_pii(frame: pl.DataFrame) -> Cleaned:
    """Personal data become [EMAIL], [ID], [CARD], [IP] and [PHONE]; counts say how many of each.

    E-mail addresses, Chinese ID numbers, bank cards, IP addresses, phone numbers.
    """
    from collections import Counter

    from tunesmith.data.pii import mask

    counts: Counter[str] = Counter()

    def change(texts: pl.Series) -> pl.Series:
        masked, found = mask(texts)
        counts.update(found)
        return masked

    return Cleaned(frame=map_texts(frame, change), counts=dict(counts))


def drop_unlabelled(frame: pl.DataFrame) -> Cleaned:
    """Rows without a label are dropped."""
    if "label" not in frame.columns:
        return Cleaned(frame=frame)
    gone = frame.filter(frame["label"].is_null())["_row"].to_list()
    return Cleaned(
        frame=frame.filter(frame["label"].is_not_null()), dropped=dict.fromkeys(gone, "unlabelled")
    )


def dedup(frame: pl.DataFrame) -> Cleaned:
    """Rows that repeat an earlier one, but for case, width and spaces, are duplicates of the first.

    Of a text that occurs with different labels no row stays: which label is right cannot be known.
    """
    from tunesmith.data.duplicates import deduplicate

    return deduplicate(frame)
