"""A text and a number: how good, how long, how much."""

from __future__ import annotations

from typing import Any, ClassVar

import polars as pl

from tunesmith.data import shapes
from tunesmith.data.guess import text_column
from tunesmith.data.layouts.layout import Layout, Mapped, Row, Sample, blank, texts_of
from tunesmith.data.table import RawTable, as_text

_NAMES = ("score", "rating", "stars", "grade", "value", "分数", "评分", "得分")


class TextScore(Layout):
    """{"text", "score"}, numbers or texts that are numbers."""

    name: ClassVar[str] = "text_score"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.SCORED
    fields: ClassVar[tuple[str, ...]] = ("text", "score")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """What the user named, else a column called like a score that holds nothing but numbers."""
        score = fields.get("score") or sample.named(*_NAMES)
        text = fields.get("text") or text_column(sample.table, (score or "",))
        is_number = "score" in fields or sample.all_are(score, _is_number)
        return [{"text": text, "score": score}] if text and score and is_number else []

    def convert(self, table: RawTable, mapping: Mapped) -> pl.DataFrame:
        """Numbers as they are; what is none, or not finite, is bad."""
        text, told = texts_of(table, mapping["text"]), texts_of(table, mapping["score"])
        score = told.str.strip_chars().cast(pl.Float64, strict=False)
        frame = pl.DataFrame({"text": text, "score": score})
        known = pl.col("score").is_finite().fill_null(value=False)
        wrong = pl.when(known).then(None).otherwise(pl.lit("bad_score"))
        return frame.with_columns(_bad=pl.coalesce(blank("text", "empty_text"), wrong))

    def write(self, row: Row) -> Row:
        """The row as it is."""
        return {"text": row["text"], "score": row["score"]}


def _is_number(cell: Any) -> bool:
    try:
        float(as_text(cell) or "-")
    except ValueError:
        return False
    return not isinstance(cell, bool)
