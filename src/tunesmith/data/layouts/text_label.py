"""A text and its class in two columns, found by name or by what the columns hold."""

from __future__ import annotations

from typing import Any, ClassVar

import polars as pl

from tunesmith.data import shapes
from tunesmith.data.guess import label_column, text_column
from tunesmith.data.layouts.layout import Layout, Mapped, Row, RowLayout, Sample, blank, required, texts_of
from tunesmith.data.table import RawTable, as_text

MISSING_LABELS = ("", "n/a", "#n/a", "nan", "null")
"""What stands for "no label" in tables (compared without regard to case)."""


class TextLabel(Layout):
    """{"text", "label"}, whatever the columns are called. A missing label is null and not bad."""

    name: ClassVar[str] = "text_label"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.LABELLED
    fields: ClassVar[tuple[str, ...]] = ("text", "label")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """What the user named, else the columns that can only be these."""
        found = candidates(sample, fields)
        return [{k: v for k, v in found.items() if v is not None}] if None not in found.values() else []

    def convert(self, table: RawTable, mapping: Mapped) -> pl.DataFrame:
        """Labels without spaces around them."""
        text, label = texts_of(table, mapping["text"]), texts_of(table, mapping["label"])
        frame = pl.DataFrame({"text": text, "label": label.str.strip_chars()})
        missing = pl.col("label").str.to_lowercase().is_in(MISSING_LABELS)
        kept = pl.when(missing).then(None).otherwise(pl.col("label"))
        return frame.with_columns(label=kept, _bad=blank("text", "empty_text"))

    def write(self, row: Row) -> Row:
        """The row as it is."""
        return {"text": row["text"], "label": row["label"]}


def candidates(sample: Sample, fields: Mapped) -> dict[str, str | None]:
    """The columns of text and label, None where it is not clear."""
    taken = tuple(fields.values())
    text = fields.get("text") or text_column(sample.table, taken)
    label = fields.get("label") or label_column(sample.table, (*taken, text or ""))
    return {"text": text, "label": label}


class Options(RowLayout):
    """A question with options to choose from, as in AGIEval: {"passage", "question", "options", "label"}."""

    name: ClassVar[str] = "options"
    shape: ClassVar[str] = shapes.LABELLED
    fields: ClassVar[tuple[str, ...]] = ()

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """A question, a list of options and the letter of the right one."""
        question, options = sample.named("question"), sample.named("options", "choices")
        label, passage = sample.named("label", "answer", "answerkey"), sample.named("passage")
        is_list = sample.all_are(options, lambda cell: isinstance(cell, list))
        if not (question and options and label and is_list):
            return []
        found = {"question": question, "options": options, "label": label}
        return [found | ({"passage": passage} if passage else {})]

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Whether there are options."""
        return isinstance(row[mapping["options"]], list)

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """Passage, question and options, each on its line, and the label."""
        question = required(row, mapping["question"], "empty_question")
        passage = as_text(row[mapping["passage"]]) if "passage" in mapping else None
        options = [as_text(option) or "" for option in row[mapping["options"]]]
        label = (as_text(row[mapping["label"]]) or "").strip()
        text = "\n".join(part for part in (passage, question, *options) if part)
        return text, None if label.casefold() in MISSING_LABELS else label
