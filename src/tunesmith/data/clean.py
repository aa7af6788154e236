"""The cleaners a recipe may list under `data.clean`.

A cleaner is a function `name(frame, *, settings)`. `frame` has the columns of the task's shape
(`data.shapes`) and `_row`, the number of each row, which it must keep. It returns either

* the frame, with texts changed or rows left out (they are dropped with the cleaner's name as the reason), or
* a `Cleaned`, which also says why rows are gone, what they repeat, or what was counted.

It must not add rows, change `_row`, or depend on anything but its arguments, and what it does to a row may
not depend on other rows: data is cleaned in pieces. `map_texts` applies a function to the texts of any shape,
so that a text cleaner need not know what a conversation is; `texts.text_of` gives the text of each row to
what only looks. The cleaners that come with Tunesmith are in `data.cleaners`. One of your own:

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
    """`frame` with `change` applied to its texts, whatever its shape.

    `change` gets texts and returns as many. Spans, tokens and answers move with their text; a row in which
    the text of one of them is gone is left out.
    """
    return change_texts(frame, change).frame


def change_texts(frame: pl.DataFrame, change: Callable[[pl.Series], pl.Series]) -> Cleaned:
    """The same as `map_texts`, with `span_lost` as the reason of rows that are left out."""
    from tunesmith.data.texts import rewritten

    after, lost = rewritten(frame, change)
    return Cleaned(frame=after, dropped=dict.fromkeys(lost, "span_lost"))


def drop_where(frame: pl.DataFrame, gone: pl.Series, reason: str) -> Cleaned:
    """`frame` without the rows that a mask chooses, all for the same reason; null chooses nothing."""
    chosen = gone.fill_null(False)
    dropped = dict.fromkeys(frame["_row"].filter(chosen).to_list(), reason)
    return Cleaned(frame=frame.filter(~chosen), dropped=dropped)
