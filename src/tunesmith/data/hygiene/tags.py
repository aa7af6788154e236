"""Tagged spans that contradict themselves or one another: edges, overlaps, two labels for one name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from tunesmith.data.hygiene.issue import Issue

# A name must be tagged this often before the data are held to have a habit, and follow it this often.
_OFTEN = 3
_HABIT = 0.75
# A label that a name has more often than this is another meaning, not a mistake.
_SELDOM = 3

_LEADING = re.compile(r"^[\s,;:!?.，。、；：！？…·]+")
# Not the full stop, nor signs that titles end with: `Inc.`, `Yahoo!`, `Who Moved My Cheese?`.
_TRAILING = re.compile(r"[\s,;:，。、；：·]+$")
_PAIRS = {"(": ")", "[": "]", "（": "）", "《": "》", "“": "”", "「": "」", "『": "』", "【": "】"}


def wrong_tags(frame: pl.DataFrame) -> list[Issue]:
    """Issues of a frame in the shape `tagged`, with `_row` numbers.

    `tag_edges`: a span begins or ends with a space, punctuation or half a pair of brackets. `tag_overlap`:
    two spans share characters. `tag_disagrees`: a name has another label than it has nearly everywhere else.
    """
    spans = spans_of(frame)
    return [*_edges(spans), *_overlaps(spans), *_disagreements(spans)]


def spans_of(frame: pl.DataFrame) -> pl.DataFrame:
    """One row for each span: `_row`, `start`, `end`, `label` and its `surface`, what stands there."""
    spans = frame.select("_row", "text", "spans").explode("spans", empty_as_null=False, keep_nulls=False)
    surface = pl.col("text").str.slice(pl.col("start"), pl.col("end") - pl.col("start"))
    return spans.unnest("spans").with_columns(surface.alias("surface")).drop("text")


def _edges(spans: pl.DataFrame) -> Iterator[Issue]:
    for row, start, end, label, surface in spans.iter_rows():
        trimmed = _trimmed(surface)
        if trimmed != surface and trimmed:
            detail = {"start": start, "end": end, "label": label}
            # A space is never part of a name; a sign may be, as in `.NET`.
            score = 1.0 if surface != surface.strip() else 0.6
            yield Issue(
                row=row, kind="tag_edges", score=score, given=surface, suggested=trimmed, detail=detail
            )


def _trimmed(surface: str) -> str:
    inner = _TRAILING.sub("", _LEADING.sub("", surface))
    for opening, closing in _PAIRS.items():
        if inner.startswith(opening) and closing not in inner:
            inner = inner[1:]
        if inner.endswith(closing) and opening not in inner:
            inner = inner[:-1]
    return inner.strip()


def _overlaps(spans: pl.DataFrame) -> Iterator[Issue]:
    columns = ["_row", "start", "end", "label", "surface"]
    last = (-1, 0, 0, "", "")
    for span in spans.select(columns).sort("_row", "start", "end", maintain_order=True).iter_rows():
        row, start, end, label, surface = span
        if row == last[0] and start < last[2]:
            nested = end <= last[2] or start == last[1]
            detail = {"start": start, "end": end, "label": label, "other": last[4], "other_label": last[3]}
            # Some data tag a name within a name on purpose; none tags halves of two names as one.
            yield Issue(
                row=row, kind="tag_overlap", score=0.5 if nested else 1.0, given=surface, detail=detail
            )
        if row != last[0] or end > last[2]:
            last = span


def habits(spans: pl.DataFrame) -> pl.DataFrame:
    """The names that are tagged often and nearly always alike: `surface`, `usual` label, `count`, `total`."""
    counts = spans.group_by("surface", "label").len("count")
    counts = counts.with_columns(total=pl.col("count").sum().over("surface")).sort("surface", "label")
    usual = counts.filter((pl.col("count") >= _OFTEN) & (pl.col("count") >= _HABIT * pl.col("total")))
    return usual.select("surface", pl.col("label").alias("usual"), "count", "total")


def _disagreements(spans: pl.DataFrame) -> Iterator[Issue]:
    # Numbers mean something else in every place.
    named = spans.filter(pl.col("surface").str.contains(r"\p{L}"))
    seldom = pl.len().over("surface", "label") <= _SELDOM
    odd = named.filter(seldom).join(habits(named), on="surface", maintain_order="left")
    odd = odd.filter(pl.col("label") != pl.col("usual"))
    for row, start, end, label, surface, usual, count, total in odd.iter_rows():
        detail = {"start": start, "end": end, "surface": surface, "count": count, "total": total}
        yield Issue(
            row=row,
            kind="tag_disagrees",
            score=count / (total + 1),
            given=label,
            suggested=usual,
            detail=detail,
        )
