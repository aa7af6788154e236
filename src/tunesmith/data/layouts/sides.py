"""Two texts that say the same, in another language or more briefly: translation and summarisation."""

from __future__ import annotations

from typing import Any, ClassVar

import polars as pl

from tunesmith.data import names, shapes
from tunesmith.data.guess import varied_texts
from tunesmith.data.layouts.layout import (
    Layout,
    Mapped,
    RefusedError,
    Row,
    RowLayout,
    Sample,
    blank,
    texts_of,
)
from tunesmith.data.table import RawTable, as_text


class Sides(Layout):
    """{"source", "target"} and other usual names, or two columns named by languages."""

    name: ClassVar[str] = "pair"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.PAIRED
    fields: ClassVar[tuple[str, ...]] = ("source", "target")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """What the user named; else texts in columns of known names, or what a headless table must be."""
        columns = _named(sample, fields) or _languages(sample, fields)
        if not columns and not fields and sample.table.header is False:
            columns = _only_two(sample)
        columns = columns or ((fields["source"], fields["target"]) if len(fields) == 2 else None)
        if not columns or not all(sample.all_are(column, _is_text) for column in columns):
            return []
        return [dict(zip(("source", "target"), columns, strict=True))]

    def convert(self, table: RawTable, mapping: Mapped) -> pl.DataFrame:
        """The columns as they are."""
        sides = {side: texts_of(table, mapping[side]) for side in ("source", "target")}
        reason = pl.coalesce(blank("source", "empty_source"), blank("target", "empty_target"))
        return pl.DataFrame(sides).with_columns(_bad=reason)

    def write(self, row: Row) -> Row:
        """The row as it is."""
        return {"source": row["source"], "target": row["target"]}


class JoinedSides(RowLayout):
    """Sides that are lists, as in SciTLDR: sentences of the source are joined, the first target counts."""

    name: ClassVar[str] = "sentences"
    shape: ClassVar[str] = shapes.PAIRED
    fields: ClassVar[tuple[str, ...]] = ("source", "target")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """Columns of known names, at least one of which holds lists of texts."""
        columns = _named(sample, fields)
        if not columns or not all(sample.all_are(column, _is_text_or_texts) for column in columns):
            return []
        lists = any(isinstance(cell, list) for column in columns for cell in sample.cells(column))
        return [dict(zip(("source", "target"), columns, strict=True))] if lists else []

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row."""
        return True

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """Both sides as text."""
        return pair(_joined(row[mapping["source"]]), _first(row[mapping["target"]]))


class Translation(RowLayout):
    """{"translation": {"en": ..., "zh": ...}}, as HF has it."""

    name: ClassVar[str] = "translation"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.PAIRED
    fields: ClassVar[tuple[str, ...]] = ("source", "target")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """Objects with two texts; languages in the order of the first row."""
        column = sample.named("translation")
        if not column or not sample.all_are(column, lambda cell: isinstance(cell, dict) and len(cell) > 1):
            return []
        languages = _direction(list(sample.cells(column)[0]), fields)
        return (
            [{"translation": column, **dict(zip(("source", "target"), languages, strict=True))}]
            if languages
            else []
        )

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row."""
        return True

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The texts of both languages."""
        cell = row[mapping["translation"]]
        sides = cell if isinstance(cell, dict) else {}
        return pair(*(as_text(sides.get(mapping[side])) for side in ("source", "target")))

    def write(self, row: Row) -> Row:
        """The row as HF has it, the sides not called by languages yet."""
        return {"translation": {"source": row["source"], "target": row["target"]}}


def pair(source: str | None, target: str | None) -> tuple[str, str]:
    """Both sides.

    Raises:
        RefusedError: empty_source, empty_target.
    """
    if not source or not source.strip():
        raise RefusedError("empty_source")
    if not target or not target.strip():
        raise RefusedError("empty_target")
    return source, target


def _named(sample: Sample, fields: Mapped) -> tuple[str, str] | None:
    """The columns of a usual pair of names; not where a label says that it is a class that counts."""
    if fields.keys() == {"source", "target"}:
        return fields["source"], fields["target"]
    for source, target in names.SIDES:
        columns = sample.named(source), sample.named(target)
        label = names.first_of(names.LABEL, [c for c in sample.columns if c not in columns])
        if columns[0] and columns[1] and label is None:
            return _turned((columns[0], columns[1]), fields)
    return None


def _languages(sample: Sample, fields: Mapped) -> tuple[str, str] | None:
    columns = [column for column in sample.columns if names.is_language(column)]
    return _direction(columns, fields) if len(columns) > 1 else None


def _direction(columns: list[str], fields: Mapped) -> tuple[str, str] | None:
    """The first two, or the one the user named and the first other."""
    source = fields.get("source") or next((c for c in columns if c != fields.get("target")), None)
    target = fields.get("target") or next((c for c in columns if c != source), None)
    return (source, target) if source and target else None


def _turned(columns: tuple[str, str], fields: Mapped) -> tuple[str, str]:
    backwards = fields.get("source") == columns[1] or fields.get("target") == columns[0]
    return (columns[1], columns[0]) if backwards else columns


def _only_two(sample: Sample) -> tuple[str, str] | None:
    """The two columns of a table without header that hold texts and no classes."""
    columns = varied_texts(sample.table)
    return (columns[0], columns[1]) if len(columns) == 2 else None


def _is_text(cell: Any) -> bool:
    return isinstance(cell, str)


def _is_text_or_texts(cell: Any) -> bool:
    return isinstance(cell, str) or (isinstance(cell, list) and all(isinstance(item, str) for item in cell))


def _joined(cell: Any) -> str | None:
    return " ".join(cell) if isinstance(cell, list) and all(map(_is_text, cell)) else as_text(cell)


def _first(cell: Any) -> str | None:
    return as_text(cell[0]) if isinstance(cell, list) and cell else as_text(cell)
