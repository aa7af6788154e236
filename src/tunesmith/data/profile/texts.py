"""What there is to read in a row of any shape: its fields, and what a model would see of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from tunesmith.data.cleaners.pii import mask_pii
from tunesmith.data.texts import PLAIN, text_of


def fields(frame: pl.DataFrame) -> Mapping[str, pl.Series]:
    """The texts of each field; messages give as many texts of a role as they have messages of it."""
    if "messages" in frame.columns:
        turns = messages(frame, "messages")
        roles = turns["role"].unique().drop_nulls().sort().to_list()
        return {role: turns.filter(pl.col("role") == role)["content"] for role in roles}
    if "chosen" in frame.columns:
        return {name: text_of(frame.select(name)) for name in ("prompt", "chosen", "rejected")}
    found = {name: frame[name] for name in PLAIN if name in frame.columns}
    if "answers" in frame.columns:
        answers = frame["answers"].explode()
        found["answers"] = answers.filter(answers.is_not_null()).struct.field("text")
    return found


def seen(frame: pl.DataFrame) -> pl.Series:
    """What a model reads of each row at once: of a preference, the prompt and the chosen answer."""
    return text_of(frame.select("prompt", "chosen") if "chosen" in frame.columns else frame)


def messages(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """One row for each message of `column`: `at`, the place of its row in the frame, and what it holds."""
    turns = frame.select(pl.col(column)).with_row_index("at").explode(column)
    return turns.filter(pl.col(column).is_not_null()).unnest(column)


def masked(texts: Sequence[str]) -> list[str]:
    """Texts as they are shown to people: nobody's address or number is among them."""
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return mask_pii(frame.with_row_index("_row")).frame["text"].to_list()
