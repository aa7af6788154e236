"""Argilla's records: {"fields": {"text"}, "responses": {question: [{"value", "status"}]}}.

Read are the first response that was submitted to the first question with answers of that form; a record
without one has no label. `fields` with other names are taken when there is one text only. Version 1 wrote
responses as a list of {"values": {question: {"value"}}, "status"}.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from tunesmith.data import shapes
from tunesmith.data.layouts.layout import Mapped, RefusedError, Row, RowLayout, Sample
from tunesmith.data.layouts.spans import row_of, span

_KEPT = ("submitted", None)


class Record(RowLayout):
    """What the three kinds of records share; `question` is what answers are written under."""

    name: ClassVar[str] = "argilla"
    is_written: ClassVar[bool] = True
    fields: ClassVar[tuple[str, ...]] = ()
    question: ClassVar[str]

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """Columns `fields` and `responses` whose values are of this kind, or that have none at all."""
        own, said = sample.named("fields"), sample.named("responses")
        if not own or not said or not sample.all_are(own, lambda cell: isinstance(cell, dict)):
            return []
        values = [value for cell in sample.cells(said) for value in _values(cell)]
        fits = not values or any(map(self.fits, values))
        return [{"fields": own, "responses": said}] if fits else []

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row."""
        return True

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The text and the first answer of this kind."""
        text = _text(row[mapping["fields"]])
        values = (value for value in _values(row[mapping["responses"]]) if self.fits(value))
        return self.values(text, next(values, None))

    def fits(self, value: Any) -> bool:
        """Whether an answer is of this kind."""
        raise NotImplementedError

    def values(self, text: str, value: Any) -> tuple[Any, ...]:
        """The columns of the shape; `value` is None where nobody answered."""
        raise NotImplementedError

    def _record(self, text: str, value: Any) -> Row:
        said = [] if value is None else [{"value": value, "status": "submitted"}]
        return {"fields": {"text": text}, "responses": {self.question: said}}


class RecordSpans(Record):
    """Spans."""

    shape: ClassVar[str] = shapes.TAGGED
    question: ClassVar[str] = "spans"

    def fits(self, value: Any) -> bool:
        """Whether it is a list of objects with places."""
        return isinstance(value, list) and all(isinstance(one, dict) and "start" in one for one in value)

    def values(self, text: str, value: Any) -> tuple[Any, ...]:
        """Every span."""
        if value is None:
            raise RefusedError("not_accepted")
        return row_of(text, [span(text, one["start"], one.get("end"), one.get("label")) for one in value])

    def write(self, row: Row) -> Row:
        """A record with a response."""
        keys = ("start", "end", "label")
        return self._record(row["text"], [{key: one[key] for key in keys} for one in row["spans"]])


class RecordLabel(Record):
    """One class for every text."""

    shape: ClassVar[str] = shapes.LABELLED
    question: ClassVar[str] = "label"

    def fits(self, value: Any) -> bool:
        """Whether it is a word."""
        return isinstance(value, str)

    def values(self, text: str, value: Any) -> tuple[Any, ...]:
        """The text and its class; null where nobody said."""
        return text, value

    def write(self, row: Row) -> Row:
        """A record with a response, or without where there is no label."""
        return self._record(row["text"], row["label"])


class RecordLabels(Record):
    """Several classes for a text."""

    shape: ClassVar[str] = shapes.MULTILABELLED
    question: ClassVar[str] = "labels"

    def fits(self, value: Any) -> bool:
        """Whether it is a list of words."""
        return isinstance(value, list) and all(isinstance(one, str) for one in value)

    def values(self, text: str, value: Any) -> tuple[Any, ...]:
        """The text and its classes."""
        if value is None:
            raise RefusedError("not_accepted")
        return text, value

    def write(self, row: Row) -> Row:
        """A record with a response."""
        return self._record(row["text"], list(row["labels"]))


def _values(cell: Any) -> Iterator[Any]:
    """The answers that were submitted, in their order."""
    said = cell if isinstance(cell, list) else [one for made in _lists(cell) for one in made]
    for one in said:
        if isinstance(one, dict) and one.get("status") in _KEPT:
            old = one.get("values")
            yield from (answer.get("value") for answer in _objects(old)) if old else (one.get("value"),)


def _lists(cell: Any) -> list[list[Any]]:
    return [made for made in cell.values() if isinstance(made, list)] if isinstance(cell, dict) else []


def _objects(values: Any) -> list[dict[str, Any]]:
    return [one for one in values.values() if isinstance(one, dict)] if isinstance(values, dict) else []


def _text(fields: Any) -> str:
    texts = {k: v for k, v in fields.items() if isinstance(v, str)} if isinstance(fields, dict) else {}
    text = texts.get("text") or (next(iter(texts.values())) if len(texts) == 1 else "")
    if not text.strip():
        raise RefusedError("empty_text")
    return text
