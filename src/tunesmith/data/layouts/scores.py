"""A text and a number: how good, how long, how much."""

from __future__ import annotations

from typing import Any, ClassVar

import polars as pl

from tunesmith.data import names, shapes
from tunesmith.data.guess import text_column
from tunesmith.data.layouts.layout import Layout, Mapped, Row, Sample, blank, texts_of
from tunesmith.data.table import RawTable, as_text


class TextScore(Layout):
    """{"text", "score"}, numbers or texts that are numbers."""

    name: ClassVar[str] = "text_score"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.SCORED
    fields: ClassVar[tuple[str, ...]] = ("text", "score")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """What the user named, else a column called like a score that holds nothing but numbers."""
        score = fields.get("score") or sample.named(*names.SCORE)
        text = fields.get("text") or text_column(sample.table, (score or "",))
        told = "score" in fields or sample.all_are(score, is_number)
        return [{"text": text, "score": score}] if text and score and told else []

    def convert(self, table: RawTable, mapping: Mapped) -> pl.DataFrame:
        """Numbers as they are; what is none, or not finite, is bad."""
        score, wrong = numbers_of(table, mapping["score"])
        frame = pl.DataFrame({"text": texts_of(table, mapping["text"]), "score": score})
        return frame.with_columns(_bad=pl.coalesce(blank("text", "empty_text"), wrong))

    def write(self, row: Row) -> Row:
        """The row as it is."""
        return {"text": row["text"], "score": row["score"]}


def numbers_of(table: RawTable, column: str) -> tuple[pl.Series, pl.Expr]:
    """A column as numbers, and `bad_score` where a frame's `score` is none or not finite."""
    score = texts_of(table, column).str.strip_chars().cast(pl.Float64, strict=False)
    known = pl.col("score").is_finite().fill_null(value=False)
    return score, pl.when(known).then(None).otherwise(pl.lit("bad_score"))


def is_number(cell: Any) -> bool:
    """Whether a cell is a number, or a text that is one."""
    try:
        float(as_text(cell) or "-")
    except ValueError:
        return False
    return not isinstance(cell, bool)
