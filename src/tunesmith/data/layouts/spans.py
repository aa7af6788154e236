"""Labelled spans of a text, as annotation tools and data sets write them down.

Offsets are code points in all of them. Where the text of a span is given too and stands elsewhere, offsets
that count UTF-16 units (as JavaScript does) are tried; what still does not fit is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from tunesmith.data import shapes
from tunesmith.data.layouts.layout import Mapped, RefusedError, Row, RowLayout, Sample, required
from tunesmith.data.table import as_text

TEXTS = ("text", "sentence", "content", "data", "文本")


def span(text: str, start: Any, end: Any, label: Any, surface: str | None = None) -> Row:
    """One span, its end exclusive.

    Raises:
        RefusedError: bad_spans when it is not within the text or does not say what it should.
    """
    name = as_text(label)
    if not is_place(start) or not is_place(end) or name is None or not name.strip():
        raise RefusedError("bad_spans")
    if surface is not None and text[start:end] != surface:
        start, end = code_points(text, start), code_points(text, end)
        if text[start:end] != surface:
            raise RefusedError("bad_spans")
    if not 0 <= start < end <= len(text):
        raise RefusedError("bad_spans")
    return {"start": start, "end": end, "label": name}


def code_points(text: str, units: int) -> int:
    """An offset in UTF-16 units as one in code points."""
    return len(text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", errors="replace"))


def row_of(text: str, spans: Iterable[Row], tokens: list[Row] | None = None) -> tuple[Any, ...]:
    """The columns of the shape, spans in order."""
    ordered = sorted(spans, key=lambda item: (item["start"], item["end"], item["label"]))
    return text, ordered, tokens


class SpanLayout(RowLayout):
    """What these layouts share: a text in one column, its spans in another."""

    shape: ClassVar[str] = shapes.TAGGED
    fields: ClassVar[tuple[str, ...]] = ("text", "spans")
    columns: ClassVar[tuple[str, ...]]

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """A text, and a column of a usual name whose cells have the form of this layout."""
        text = fields.get("text") or sample.named(*TEXTS)
        wanted = (
            [fields["spans"]] if "spans" in fields else [c for n in self.columns if (c := sample.named(n))]
        )
        fitting = [column for column in wanted if column != text and self._fits(sample, column)]
        return [{"text": text, "spans": fitting[0]}] if text and fitting else []

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row."""
        return True

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The text and its spans."""
        text = required(row, mapping["text"], "empty_text")
        cell = row[mapping["spans"]]
        return row_of(text, [] if cell is None else self.spans(text, cell))

    def fits(self, cell: Any) -> bool:
        """Whether a cell has the form of this layout."""
        raise NotImplementedError

    def spans(self, text: str, cell: Any) -> list[Row]:
        """The spans of a cell.

        Raises:
            RefusedError: bad_spans.
        """
        raise NotImplementedError

    def _fits(self, sample: Sample, column: str) -> bool:
        return sample.all_are(column, self.fits)


class Cluener(SpanLayout):
    """{"text", "label": {name: {surface: [[start, last], ...]}}}; the last character is included."""

    name: ClassVar[str] = "cluener"
    is_written: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = ("label",)

    def fits(self, cell: Any) -> bool:
        """Whether it is an object of objects of lists."""
        return isinstance(cell, dict) and all(
            isinstance(found, dict) and all(isinstance(places, list) for places in found.values())
            for found in cell.values()
        )

    def spans(self, text: str, cell: Any) -> list[Row]:
        """Every place of every surface."""
        if not self.fits(cell):
            raise RefusedError("bad_spans")
        return [_inclusive(text, *found) for found in _places(cell)]

    def write(self, row: Row) -> Row:
        """The row as CLUENER has it."""
        labels: dict[str, dict[str, list[list[int]]]] = {}
        for item in row["spans"]:
            surfaces = labels.setdefault(item["label"], {})
            surface = row["text"][item["start"] : item["end"]]
            surfaces.setdefault(surface, []).append([item["start"], item["end"] - 1])
        return {"text": row["text"], "label": labels}


class Doccano(SpanLayout):
    """{"text", "label": [[start, end, name], ...]}; the key may be `labels` or `entities`."""

    name: ClassVar[str] = "doccano"
    is_written: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = ("label", "labels", "entities")

    def fits(self, cell: Any) -> bool:
        """Whether it is a list of triples."""
        return isinstance(cell, list) and all(isinstance(item, list) and len(item) == 3 for item in cell)

    def spans(self, text: str, cell: Any) -> list[Row]:
        """Every triple."""
        if not self.fits(cell):
            raise RefusedError("bad_spans")
        return [span(text, *item) for item in cell]

    def write(self, row: Row) -> Row:
        """The row as doccano exports it."""
        return {"text": row["text"], "label": [[s["start"], s["end"], s["label"]] for s in row["spans"]]}


class Spacy(Doccano):
    """[text, {"entities": [[start, end, name], ...]}]: pairs, or `text` and `entities` by name."""

    name: ClassVar[str] = "spacy"
    is_written: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = ("column_2", "annotations", "entities")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """Also the columns of rows that have no names."""
        first, second = sample.named("column_1"), sample.named("column_2")
        if (
            first
            and second
            and sample.all_are(first, lambda cell: isinstance(cell, str))
            and self._fits(sample, second)
        ):
            return [{"text": first, "spans": second}]
        return super().find(sample, fields)

    def fits(self, cell: Any) -> bool:
        """Whether it is an object with triples under `entities`."""
        return isinstance(cell, dict) and "entities" in cell and super().fits(cell["entities"])

    def spans(self, text: str, cell: Any) -> list[Row]:
        """Every triple."""
        if not self.fits(cell):
            raise RefusedError("bad_spans")
        return [span(text, *item) for item in cell["entities"]]

    def write(self, row: Row) -> Row:
        """The row as `text` and `annotations`."""
        entities = [[s["start"], s["end"], s["label"]] for s in row["spans"]]
        return {"text": row["text"], "annotations": {"entities": entities}}


class Prodigy(SpanLayout):
    """{"text", "spans": [{"start", "end", "label"}], "tokens": [{"start", "end"}], "answer"}."""

    name: ClassVar[str] = "prodigy"
    is_written: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = ("spans", "entities", "ents", "label")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """Tokens and the annotator's answer too, where they are there."""
        beside = {"tokens": sample.named("tokens"), "answer": sample.named("answer")}
        known = {field: column for field, column in beside.items() if column is not None}
        return [{**mapping, **known} for mapping in super().find(sample, fields)]

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The text, its spans and tokens, if the annotator accepted it."""
        if "answer" in mapping and row[mapping["answer"]] not in (None, "accept"):
            raise RefusedError("not_accepted")
        text, spans, _ = super().read(row, mapping)
        cell = row[mapping["tokens"]] if "tokens" in mapping else None
        tokens = [span(text, *_ends(item), "token") for item in cell] if isinstance(cell, list) else None
        return row_of(text, spans, tokens and [{"start": t["start"], "end": t["end"]} for t in tokens])

    def fits(self, cell: Any) -> bool:
        """Whether it is a list of objects with places and a label."""
        return isinstance(cell, list) and all(
            isinstance(item, dict) and None not in _ends(item) and _label(item) is not None for item in cell
        )

    def spans(self, text: str, cell: Any) -> list[Row]:
        """Every object."""
        if not self.fits(cell):
            raise RefusedError("bad_spans")
        return [span(text, *_ends(item), _label(item), _surface(item)) for item in cell]

    def write(self, row: Row) -> Row:
        """The row as Prodigy has it."""
        written = {"text": row["text"], "spans": [dict(item) for item in row["spans"]], "answer": "accept"}
        if row["tokens"] is None:
            return written
        pieces = [row["text"][t["start"] : t["end"]] for t in row["tokens"]]
        tokens = [
            {"text": p, **t, "id": i} for i, (p, t) in enumerate(zip(pieces, row["tokens"], strict=True))
        ]
        return {**written, "tokens": tokens}


def _places(cell: Row) -> Iterator[tuple[str, str, Any]]:
    for label, surfaces in cell.items():
        for surface, places in surfaces.items():
            for place in places:
                yield label, surface, place


def _inclusive(text: str, label: str, surface: str, place: Any) -> Row:
    if not isinstance(place, list) or len(place) != 2 or not is_place(place[1]):
        raise RefusedError("bad_spans")
    return span(text, place[0], place[1] + 1, label, surface)


def _ends(item: Any) -> tuple[Any, Any]:
    if not isinstance(item, dict):
        raise RefusedError("bad_spans")
    return item.get("start", item.get("start_offset")), item.get("end", item.get("end_offset"))


def _label(item: Row) -> Any:
    return item.get("label", item.get("entity", item.get("type")))


def _surface(item: Row) -> str | None:
    surface = item.get("text")
    return surface if isinstance(surface, str) else None


def is_place(value: Any) -> bool:
    """Whether it may be an offset."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
