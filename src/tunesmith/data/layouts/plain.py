"""Texts to continue: one column, lists of lines, or prompt and answer as one text."""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from tunesmith.data import names, shapes
from tunesmith.data.guess import text_column
from tunesmith.data.layouts.layout import (
    Layout,
    Mapped,
    RefusedError,
    Row,
    RowLayout,
    Sample,
    blank,
    columns_of,
    texts_of,
)
from tunesmith.data.layouts.pairs import known_pairs
from tunesmith.data.table import RawTable


class Text(Layout):
    """{"text"}, whatever the column is called."""

    name: ClassVar[str] = "text"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.TEXT
    fields: ClassVar[tuple[str, ...]] = ("text",)

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """What the user named, else the column that can only be it."""
        column = fields.get("text") or text_column(sample.table, ())
        return [{"text": column}] if column else []

    def convert(self, table: RawTable, mapping: Mapped) -> pl.DataFrame:
        """The column as it is."""
        frame = pl.DataFrame({"text": texts_of(table, mapping["text"])})
        return frame.with_columns(_bad=blank("text", "empty_text"))

    def write(self, row: Row) -> Row:
        """The row as it is."""
        return {"text": row["text"]}


class Passages(RowLayout):
    """Lists of texts, as in chinese-poetry: {"paragraphs": [line]}; the lines are joined.

    Of objects in the list the lists of texts count: {"content": [{"chapter", "paragraphs": [line]}]}.
    """

    name: ClassVar[str] = "passages"
    shape: ClassVar[str] = shapes.TEXT
    fields: ClassVar[tuple[str, ...]] = ("text",)

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """What the user named if it holds lists, else a column of a known name that does."""
        wanted = [fields["text"]] if "text" in fields else names.all_of(names.PASSAGES, sample.columns)
        holding = [column for column in wanted if any(map(_lines, sample.cells(column)))]
        return [{"text": column} for column in holding[:1]]

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row: what is no list is refused."""
        return True

    def read(self, row: Row, mapping: Mapped) -> tuple[str]:
        """The lines as one text."""
        text = "\n".join(_lines(row[mapping["text"]]))
        if not text.strip():
            raise RefusedError("empty_text")
        return (text,)


class JoinedPair(Layout):
    """Prompt, input and answer as one text; a row is of the first pair whose prompt it has."""

    name: ClassVar[str] = "joined_pair"
    shape: ClassVar[str] = shapes.TEXT
    fields: ClassVar[tuple[str, ...]] = ("prompt", "input", "completion")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """All pairs in one mapping: `prompt`, `completion`, and `prompt_2`... for others."""
        pairs = known_pairs(sample)
        if {"prompt", "completion"} <= fields.keys():
            pairs = [(fields["prompt"], fields["completion"]), *pairs]
        extra = fields.get("input") or sample.named(*names.INPUT)
        found: dict[str, str] = {"input": extra} if extra else {}
        for i, (prompt, answer) in enumerate(dict.fromkeys(pairs), 1):
            ending = "" if i == 1 else f"_{i}"
            found |= {f"prompt{ending}": prompt, f"completion{ending}": answer}
        return [found] if pairs else []

    def convert(self, table: RawTable, mapping: Mapped) -> pl.DataFrame:
        """The parts on a line each."""
        columns = sorted(set(columns_of(mapping)))
        frame = pl.DataFrame([texts_of(table, column).alias(column) for column in columns])
        text, bad = pl.lit(None, pl.String), pl.lit("unrecognised")
        for prompt, answer in reversed(list(_pairs(mapping))):
            parts = [prompt, *([mapping["input"]] if "input" in mapping else []), answer]
            given = [pl.when(pl.col(part).str.strip_chars() != "").then(pl.col(part)) for part in parts]
            together = pl.concat_str(*given, separator="\n", ignore_nulls=True)
            reason = pl.coalesce(blank(prompt, "empty_prompt"), blank(answer, "empty_answer"))
            here = pl.col(prompt).is_not_null()
            text = pl.when(here).then(together).otherwise(text)
            bad = pl.when(here).then(reason).otherwise(bad)
        return frame.select(text=text, _bad=bad)


def _pairs(mapping: Mapped) -> list[tuple[str, str]]:
    found = [(field, column) for field, column in mapping.items() if field.startswith("prompt")]
    return [(column, mapping[field.replace("prompt", "completion")]) for field, column in found]


def _lines(cell: object) -> list[str]:
    """The texts of a list; of an object in it, those of its lists."""
    if isinstance(cell, dict):
        return [line for inner in cell.values() for line in _lines(inner)]
    items = cell if isinstance(cell, list) else []
    return [line for item in items for line in ([item] if isinstance(item, str) else _lines(item))]
