"""What two rows have in common when they say the same, or ask the same; and what they then must agree on.

Compared without regard to case, width and spaces (`characters.comparable`).
"""

from __future__ import annotations

import polars as pl

from tunesmith.data.characters import comparable

_FIELD, _TURN = "\x1f", "\x1e"


def said(frame: pl.DataFrame) -> pl.Series:
    """All of a row's text, its answer included where the answer is text: equal rows are duplicates.

    A question may have several answers in its context, so rows with different ones are different.
    """
    return _joined(frame, _present(frame, ("text", "messages", "prompt", "chosen", "rejected"), _SOURCES))


def asked(frame: pl.DataFrame) -> pl.Series:
    """What a model must not have seen in training if it is to be tested on the row.

    The text or conversation; of a preference or a judged answer its prompt, of a question its context, of a
    pair its source.
    """
    if "desirable" in frame.columns:
        turns = pl.col("messages").list
        frame = frame.with_columns(messages=turns.head(turns.len() - 1))
    return _joined(frame, _present(frame, ("text", "messages", "prompt"), ("context", "source")))


def agreed(frame: pl.DataFrame) -> pl.Series | None:
    """What duplicates must agree on: label, labels, tags or judgement; null where it is missing."""
    for name in ("label", "desirable"):
        if name in frame.columns:
            return frame[name]
    if "labels" in frame.columns:
        return _as_text(frame["labels"].list.sort())
    return _tagged(frame) if "spans" in frame.columns else None


def allows_near(frame: pl.DataFrame) -> bool:
    """Whether rows that nearly say the same are duplicates: questions on one text are not."""
    return "context" not in frame.columns


_SOURCES = ("question", "context", "answers", "source", "target", "negative")


def _present(frame: pl.DataFrame, *names: tuple[str, ...]) -> list[str]:
    return [name for group in names for name in group if name in frame.columns]


def _joined(frame: pl.DataFrame, names: list[str]) -> pl.Series:
    parts = [_comparable(frame, name).fill_null("") for name in names]
    return frame.select(pl.concat_str(*parts, separator=_FIELD)).to_series()


def _comparable(frame: pl.DataFrame, name: str) -> pl.Expr:
    if frame.schema[name] == pl.String:
        return comparable(pl.col(name))
    part = pl.element().struct
    if name == "answers":
        found = pl.col(name).list.eval(comparable(part.field("text")))
        return found.list.unique().list.sort().list.join(_TURN)
    content, calls = comparable(part.field("content")), part.field("tool_calls").fill_null("")
    turn = pl.concat_str(part.field("role"), content, calls, separator=_FIELD)
    return pl.col(name).list.eval(turn).list.join(_TURN)


def _tagged(frame: pl.DataFrame) -> pl.Series:
    """What is tagged and as what, in order. Where it stands is no part of it: spaces move it."""
    part = pl.col("spans").struct
    surface = pl.col("text").str.slice(part.field("start"), part.field("end") - part.field("start"))
    pairs = pl.concat_str(comparable(surface), part.field("label"), separator=_FIELD)
    spans = frame.select("text", "spans").with_row_index("_at").explode("spans").drop_nulls("spans")
    found = spans.sort("_at", part.field("start"), part.field("end")).select("_at", pairs.alias("said"))
    said = (
        found.group_by("_at", maintain_order=True).agg("said").with_columns(pl.col("said").list.join(_TURN))
    )
    known = pl.when(pl.col("spans").is_not_null()).then(pl.col("said").fill_null(""))
    rows = frame.select("spans").with_row_index("_at")
    return rows.join(said, on="_at", how="left", maintain_order="left").select(known).to_series()


def _as_text(column: pl.Series) -> pl.Series:
    """Lists as text that is equal when they are."""
    return column.to_frame("it").select(pl.struct("it").struct.json_encode()).to_series()
