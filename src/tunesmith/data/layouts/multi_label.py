"""A text and any number of labels: a list, a text that divides them, or a column of 0 and 1 for each."""

from __future__ import annotations

from typing import Any, ClassVar

from tunesmith.data import names, shapes
from tunesmith.data.guess import text_column
from tunesmith.data.layouts.layout import Mapped, RefusedError, Row, RowLayout, Sample, required
from tunesmith.data.table import as_text

_YES, _NO = (1, True, "1", 1.0, "1.0"), (0, False, "0", 0.0, "0.0")
_SEPARATORS = ("|", ";", "；", "、", ",", "，")


class MultiLabel(RowLayout):
    """{"text", "labels": [label]}; with `fields.labels`, also texts such as `a|b` or `a, b`."""

    name: ClassVar[str] = "multi_label"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.MULTILABELLED
    fields: ClassVar[tuple[str, ...]] = ("text", "labels", "separator")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """Lists of texts, some with more or less than one; or the column the user named."""
        labels = fields.get("labels") or _lists(sample)
        text = fields.get("text") or text_column(sample.table, (labels or "",))
        if not labels or not text:
            return []
        found = {"text": text, "labels": labels}
        if not sample.all_are(labels, lambda cell: isinstance(cell, list)):
            found["separator"] = fields.get("separator") or _separator(sample, labels)
        return [found]

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row."""
        return True

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The text and its labels without repetition, in their order; null where a list is missing."""
        text, cell = required(row, mapping["text"], "empty_text"), row[mapping["labels"]]
        if cell is None and "separator" not in mapping:
            return text, None
        if not isinstance(cell, list):
            told = as_text(cell) or ""
            cell = told.split(mapping["separator"]) if "separator" in mapping else [told]
        labels = [as_text(label) for label in cell]
        if any(label is None for label in labels):
            raise RefusedError("bad_labels")
        kept = [label.strip() for label in labels if label and label.strip()]
        return text, list(dict.fromkeys(kept))

    def write(self, row: Row) -> Row:
        """The row as it is."""
        return {"text": row["text"], "labels": row["labels"]}


class Indicators(RowLayout):
    """A text and a column of 0 and 1 for each label, as in Jigsaw's toxicity data."""

    name: ClassVar[str] = "indicators"
    shape: ClassVar[str] = shapes.MULTILABELLED
    fields: ClassVar[tuple[str, ...]] = ("text",)

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """At least two columns of nothing but 0 and 1, a text, and no column called a label."""
        labels = [column for column in sample.columns if sample.all_are(column, _is_flag)]
        text = fields.get("text") or text_column(sample.table, tuple(labels))
        if len(labels) < 2 or not text or sample.named(*names.LABEL):
            return []
        return [{"text": text, **{f"labels.{column}": column for column in labels}}]

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row."""
        return True

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The names of the columns that say 1."""
        text = required(row, mapping["text"], "empty_text")
        columns = [column for field, column in mapping.items() if field != "text"]
        if not all(_is_flag(row[column]) for column in columns):
            raise RefusedError("bad_labels")
        return text, [column for column in columns if row[column] in _YES]


def _lists(sample: Sample) -> str | None:
    """A column named like labels with lists of texts; one called `label` must not hold one label always."""
    for column in names.all_of(names.LABELS, sample.columns):
        cells = sample.cells(column)
        is_one = column.casefold() == "label" and all(len(cell) == 1 for cell in cells if _is_labels(cell))
        if cells and all(map(_is_labels, cells)) and not is_one:
            return column
    return None


def _is_labels(cell: Any) -> bool:
    return isinstance(cell, list) and all(isinstance(label, str) for label in cell)


def _separator(sample: Sample, column: str) -> str:
    """What divides the labels: the first usual separator that occurs."""
    told = "\n".join(as_text(cell) or "" for cell in sample.cells(column))
    return next((separator for separator in _SEPARATORS if separator in told), "|")


def _is_flag(cell: Any) -> bool:
    return not isinstance(cell, list | dict) and (cell in _YES or cell in _NO)
