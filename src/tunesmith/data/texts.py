"""The texts of a frame of any shape: taken together, or changed where they stand.

A shape's texts are its columns of text and the contents of its messages. Labels, roles, tool calls and tool
definitions are no texts. What points into a text (spans, tokens, answers) moves with it.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tunesmith.data import offsets

Change = Callable[[pl.Series], pl.Series]
"""From texts to as many texts, each a function of the one in its place; null stays null."""

MESSAGES = ("messages", "prompt", "chosen", "rejected")
"""Columns that hold lists of messages."""

PLAIN = ("text", "source", "target", "negative", "question", "context")
"""Columns that hold a text."""

_ROUNDS = 20


def text_of(frame: pl.DataFrame) -> pl.Series:
    """The text of each row, its parts joined by line ends; null where a row has none."""
    parts = [pl.col(name) for name in PLAIN if name in frame.columns]
    parts += [_contents(name) for name in MESSAGES if name in frame.columns]
    if len(parts) == 1:
        return frame.select(parts[0].alias("text")).to_series()
    joined = pl.concat_str(parts, separator="\n", ignore_nulls=True)
    return frame.select(text=joined).to_series()


def _contents(name: str) -> pl.Expr:
    contents = pl.col(name).list.eval(pl.element().struct.field("content").drop_nulls())
    return contents.list.join("\n")


def rewritten(frame: pl.DataFrame, change: Change) -> tuple[pl.DataFrame, list[int]]:
    """`frame` with `change` applied to its texts, without the rows whose spans it destroyed; and those."""
    after = frame
    for name in PLAIN:
        if name in frame.columns:
            after = after.with_columns(change(frame[name]).alias(name))
    for name in MESSAGES:
        if name in frame.columns:
            after = after.with_columns(_messages(frame[name], change))
    lost: list[int] = []
    if "spans" in frame.columns:
        after, lost = offsets.move_spans(frame, after)
    elif "answers" in frame.columns:
        after, lost = offsets.move_answers(frame, after, change)
    return after, lost


def _messages(column: pl.Series, change: Change) -> pl.Series:
    """A column of messages with their contents changed; empty lists and nulls stay."""
    rows = pl.DataFrame({"_at": range(len(column)), "_messages": column}, schema_overrides={"_at": pl.UInt32})
    turns = rows.filter(pl.col("_messages").list.len() > 0).explode("_messages").unnest("_messages")
    if turns.is_empty():
        return column
    fields = turns.columns[1:]
    turns = turns.with_columns(change(turns["content"]).alias("content"))
    again = turns.group_by("_at", maintain_order=True).agg(_new=pl.struct(fields))
    joined = rows.join(again, on="_at", how="left", maintain_order="left")
    return joined.select(pl.coalesce("_new", "_messages").alias(column.name)).to_series()


def on_suspects(texts: pl.Series, pattern: str, change: Change) -> pl.Series:
    """`change` applied only to texts in which a cheap pattern is found; it must leave others as they are."""
    return at(texts, texts.str.contains(pattern).fill_null(False), change)


def on_suspect_lines(texts: pl.Series, pattern: str, change: Change) -> pl.Series:
    """`change` applied only to lines in which a cheap pattern is found: texts may be very long."""
    return on_suspects(texts, pattern, lambda found: _by_lines(found, pattern, change))


def _by_lines(texts: pl.Series, pattern: str, change: Change) -> pl.Series:
    rows = pl.DataFrame({"line": texts.str.split("\n")}).with_row_index("_at").explode("line")
    changed = rows.with_columns(on_suspects(rows["line"], pattern, change).alias("line"))
    texts_again = changed.group_by("_at", maintain_order=True).agg(pl.col("line").str.join("\n"))
    return texts_again["line"].alias(texts.name)


def at(texts: pl.Series, chosen: pl.Series, change: Change) -> pl.Series:
    """`change` applied only to the texts that a mask chooses."""
    places = chosen.arg_true()
    if places.is_empty():
        return texts
    if len(places) == len(texts):
        return change(texts)
    # `scatter` works in place, and the texts are the caller's.
    return texts.clone().scatter(places, change(texts.gather(places)))


def one_by_one(change: Callable[[str], str]) -> Change:
    """A change of columns from one of strings."""
    return lambda texts: pl.Series(
        texts.name, [None if text is None else change(text) for text in texts.to_list()], dtype=pl.String
    )


def settled(texts: pl.Series, change: Change) -> pl.Series:
    """`change` repeated on what it changes until nothing does, so that doing it again changes nothing."""
    result, before = change(texts), texts
    for _ in range(_ROUNDS):
        moved = (result != before).fill_null(False)
        if not moved.any():
            break
        before, result = result, at(result, moved, change)
    return result
