"""A preview shows what a cleaner would do, most telling first, and says where."""

from __future__ import annotations

import polars as pl

from tunesmith.core.chosen import Component
from tunesmith.data.preview import preview


def rows(*texts: str) -> pl.DataFrame:
    return pl.DataFrame({"text": texts}).with_row_index("_row").cast({"_row": pl.Int64})


def test_changed_rows_come_with_the_parts_that_differ() -> None:
    shown = preview(
        rows("plain", "mail li@example.com now", "mail li@example.com now"), Component("mask_pii"), 5
    )
    (only,) = shown
    assert (only.row, only.reason) == (1, None)
    assert "".join(only.before[a:b] for a, b in only.removed).replace("@", "").startswith("liexample")
    assert all(only.after is not None and only.after[a:b] in "[EMAIL]" for a, b in only.added)


def test_the_largest_change_comes_first_and_the_number_is_kept() -> None:
    shown = preview(rows("<b>a</b>", "<p class='long'>x</p><p>y</p>", "<i>z</i>"), Component("strip_html"), 2)
    assert [one.row for one in shown] == [1, 0]


def test_rows_that_go_come_with_their_reason() -> None:
    shown = preview(rows("a", "", "long enough"), Component("limit_length", {"shortest": 5}), 5)
    assert [(one.row, one.after, one.reason) for one in shown] == [
        (0, None, "too_short"),
        (1, None, "too_short"),
    ]


def test_labels_are_shown_with_their_text() -> None:
    frame = rows("t").with_columns(label=pl.lit(" A"))
    (only,) = preview(frame, Component("normalise_labels"), 1)
    assert (only.before, only.after, only.removed) == ("t →  A", "t → A", ((4, 5),))


def test_cleaners_that_see_all_rows_can_be_tried_as_well() -> None:
    frame = rows("t", "u", "v").with_columns(label=pl.Series(["a b", "A b", "a b"]))
    (only,) = preview(frame, Component("merge_labels"), 5)
    assert (only.row, only.before, only.after) == (1, "u → A b", "u → a b")
    (gone,) = preview(rows("the same", "another", "The  same"), Component("dedup"), 5)
    assert (gone.after, gone.reason) == (None, "duplicate")
