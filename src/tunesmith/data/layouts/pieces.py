"""Spans by pieces and by columns: a text cut where its entities are (Snips), or one span in every row."""

from __future__ import annotations

from typing import Any, ClassVar

from tunesmith.data import shapes
from tunesmith.data.layouts.layout import Mapped, RefusedError, Row, RowLayout, Sample, required
from tunesmith.data.layouts.spans import TEXTS, is_place, row_of, span


class Snips(RowLayout):
    """Pieces of a text, some of which are entities: {"data": [{"text", "entity"}]}."""

    name: ClassVar[str] = "snips"
    shape: ClassVar[str] = shapes.TAGGED
    fields: ClassVar[tuple[str, ...]] = ("spans",)

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """Lists of pieces, at least one of which is an entity."""
        column = fields.get("spans") or sample.named("data")
        if not column or not sample.all_are(column, _is_pieces):
            return []
        return (
            [{"spans": column}] if any("entity" in p for cell in sample.cells(column) for p in cell) else []
        )

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row."""
        return True

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The pieces as one text."""
        pieces = row[mapping["spans"]]
        if not _is_pieces(pieces):
            raise RefusedError("bad_spans")
        text = "".join(piece["text"] for piece in pieces)
        if not text.strip():
            raise RefusedError("empty_text")
        found, at = [], 0
        for piece in pieces:
            if "entity" in piece:
                found.append(span(text, at, at + len(piece["text"]), piece["entity"]))
            at += len(piece["text"])
        return row_of(text, found)


class SpanColumns(RowLayout):
    """One span a row, in columns of numbers: {"text", "start", "end", "label"}."""

    name: ClassVar[str] = "span_columns"
    shape: ClassVar[str] = shapes.TAGGED
    fields: ClassVar[tuple[str, ...]] = ("text", "start", "end", "label")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """Four columns of these names."""
        usual = {"text": TEXTS, "start": ("start",), "end": ("end",), "label": ("label", "entity", "type")}
        found = {field: fields.get(field) or sample.named(*wanted) for field, wanted in usual.items()}
        known = {field: column for field, column in found.items() if column is not None}
        numbers = all(sample.all_are(known.get(field), _is_number) for field in ("start", "end"))
        return [known] if len(known) == len(usual) and numbers else []

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row."""
        return True

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The text with its one span."""
        text = required(row, mapping["text"], "empty_text")
        start, end = (_number(row[mapping[field]]) for field in ("start", "end"))
        return row_of(text, [span(text, start, end, row[mapping["label"]])])


def _is_pieces(cell: Any) -> bool:
    return (
        isinstance(cell, list)
        and bool(cell)
        and all(isinstance(piece, dict) and isinstance(piece.get("text"), str) for piece in cell)
    )


def _is_number(cell: Any) -> bool:
    return is_place(cell) or (isinstance(cell, str) and cell.strip().isdecimal())


def _number(cell: Any) -> Any:
    return int(cell) if isinstance(cell, str) and cell.strip().isdecimal() else cell
