"""Texts that are alike and texts that are not: triplets, and pairs with a number that says how alike."""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from tunesmith.data import names, shapes
from tunesmith.data.layouts.layout import Layout, Mapped, Row, Sample, blank, texts_of
from tunesmith.data.layouts.scores import is_number, numbers_of
from tunesmith.data.table import RawTable

_SIDES = ("source", "target")
_EMPTY = (blank("source", "empty_source"), blank("target", "empty_target"))


class Triplet(Layout):
    """{"anchor", "positive", "negative"} and other usual names, as sentence-transformers has it."""

    name: ClassVar[str] = "triplet"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.CONTRASTED
    fields: ClassVar[tuple[str, ...]] = shapes.COLUMNS[shapes.CONTRASTED]

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """What the user named; else texts in columns of known names."""
        usual = ([sample.named(name) for name in known] for known in names.TRIPLETS)
        found = next((columns for columns in usual if all(columns)), [None] * 3)
        mapping = {
            field: fields.get(field) or column for field, column in zip(self.fields, found, strict=True)
        }
        known = {field: column for field, column in mapping.items() if column}
        texts = all(sample.all_are(column, lambda cell: isinstance(cell, str)) for column in known.values())
        return [known] if texts and len(known) == len(self.fields) else []

    def convert(self, table: RawTable, mapping: Mapped) -> pl.DataFrame:
        """The columns as they are."""
        frame = pl.DataFrame({field: texts_of(table, mapping[field]) for field in self.fields})
        return frame.with_columns(_bad=pl.coalesce(*_EMPTY, blank("negative", "empty_target")))

    def write(self, row: Row) -> Row:
        """The row as sentence-transformers reads it."""
        return {"anchor": row["source"], "positive": row["target"], "negative": row["negative"]}


class PairScore(Layout):
    """{"sentence1", "sentence2", "score"}, as in STS benchmarks."""

    name: ClassVar[str] = "pair_score"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.COMPARED
    fields: ClassVar[tuple[str, ...]] = shapes.COLUMNS[shapes.COMPARED]

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """What the user named; else two columns called like sentences and one of numbers."""
        usual = ([sample.named(name) for name in known] for known in names.SENTENCES)
        found = next((columns for columns in usual if all(columns)), [None, None])
        columns = [fields.get(side) or column for side, column in zip(_SIDES, found, strict=True)]
        score = fields.get("score") or sample.named(*names.SIMILARITY)
        told = "score" in fields or sample.all_are(score, is_number)
        known = {f: column for f, column in zip(self.fields, (*columns, score), strict=True) if column}
        return [known] if told and len(known) == len(self.fields) else []

    def convert(self, table: RawTable, mapping: Mapped) -> pl.DataFrame:
        """Numbers as they are; what is none, or not finite, is bad."""
        sides = {side: texts_of(table, mapping[side]) for side in _SIDES}
        score, wrong = numbers_of(table, mapping["score"])
        return pl.DataFrame({**sides, "score": score}).with_columns(_bad=pl.coalesce(*_EMPTY, wrong))

    def write(self, row: Row) -> Row:
        """The row as STS benchmarks have it."""
        return {"sentence1": row["source"], "sentence2": row["target"], "score": row["score"]}
