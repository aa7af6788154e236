"""Label Studio's JSON: {"data": {"text"}, "annotations": [{"result": [...]}]}.

A result has `from_name`, `to_name`, `type` and `value`. The first annotation that was not cancelled counts.
Versions since 2022 count offsets in code points, older ones in UTF-16 units; the text that stands with every
span tells which.
"""

from __future__ import annotations

from typing import Any, ClassVar

from tunesmith.data import shapes
from tunesmith.data.layouts.layout import Mapped, RefusedError, Row, RowLayout, Sample
from tunesmith.data.layouts.spans import row_of, span


class Task(RowLayout):
    """What the three kinds of tasks share."""

    name: ClassVar[str] = "label_studio"
    is_written: ClassVar[bool] = True
    fields: ClassVar[tuple[str, ...]] = ()
    kind: ClassVar[str]

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """Columns `data` and `annotations` with results of this kind, or none at all."""
        data, made = sample.named("data"), sample.named("annotations", "completions")
        if not data or not made or not sample.all_are(data, lambda cell: isinstance(cell, dict)):
            return []
        results = [item for cell in sample.cells(made) for item in _results(cell) or ()]
        return [{"data": data, "annotations": made}] if not results or self.fits(results) else []

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row."""
        return True

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The text and what was said of it."""
        results = _results(row[mapping["annotations"]])
        own = [item for item in results or () if item.get("type") == self.kind]
        text = _text(row[mapping["data"]], own[0].get("to_name") if own else None)
        return self.values(text, None if results is None else own)

    def values(self, text: str, results: list[Row] | None) -> tuple[Any, ...]:
        """The columns of the shape; `results` is None where nobody annotated."""
        raise NotImplementedError

    def fits(self, results: list[Row]) -> bool:
        """Whether some results are of this kind."""
        return any(item.get("type") == self.kind for item in results)


class TaskSpans(Task):
    """Spans."""

    shape: ClassVar[str] = shapes.TAGGED
    kind: ClassVar[str] = "labels"

    def values(self, text: str, results: list[Row] | None) -> tuple[Any, ...]:
        """A span for every result."""
        if results is None:
            raise RefusedError("not_accepted")
        found = []
        for value in (item.get("value") for item in results):
            if not isinstance(value, dict):
                raise RefusedError("bad_spans")
            for label in value.get("labels") or [None]:
                surface = value.get("text")
                given = surface if isinstance(surface, str) else None
                found.append(span(text, value.get("start"), value.get("end"), label, given))
        return row_of(text, found)

    def write(self, row: Row) -> Row:
        """A task with an annotation."""
        values = []
        for item in row["spans"]:
            place = {"start": item["start"], "end": item["end"]}
            values.append(
                {**place, "text": row["text"][item["start"] : item["end"]], "labels": [item["label"]]}
            )
        return _task(row["text"], "label", self.kind, values)


class TaskChoice(Task):
    """One class for every text."""

    shape: ClassVar[str] = shapes.LABELLED
    kind: ClassVar[str] = "choices"

    def values(self, text: str, results: list[Row] | None) -> tuple[Any, ...]:
        """The text and its class; null where nobody said."""
        chosen = _choices(results or [])
        if len(chosen) > 1:
            raise RefusedError("bad_labels")
        return text, chosen[0] if chosen else None

    def write(self, row: Row) -> Row:
        """A task with an annotation, or without where there is no label."""
        return _task(row["text"], "choice", self.kind, [{"choices": [row["label"]]}] if row["label"] else [])

    def fits(self, results: list[Row]) -> bool:
        """Whether all results choose one class."""
        return all(item.get("type") == self.kind and len(_choices([item])) == 1 for item in results)


class TaskChoices(Task):
    """Several classes for a text."""

    shape: ClassVar[str] = shapes.MULTILABELLED
    kind: ClassVar[str] = "choices"

    def values(self, text: str, results: list[Row] | None) -> tuple[Any, ...]:
        """The text and its classes."""
        if results is None:
            raise RefusedError("not_accepted")
        return text, _choices(results)

    def write(self, row: Row) -> Row:
        """A task with an annotation."""
        return _task(row["text"], "choice", self.kind, [{"choices": row["labels"]}])


def _results(cell: Any) -> list[Row] | None:
    """The results of the annotation that counts; None where there is none."""
    for made in cell if isinstance(cell, list) else []:
        if isinstance(made, dict) and not made.get("was_cancelled"):
            found = made.get("result")
            return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    return None


def _text(data: Any, name: Any) -> str:
    """The text that was annotated: the one of that name, else the only one."""
    texts = (
        {key: text for key, text in data.items() if isinstance(text, str)} if isinstance(data, dict) else {}
    )
    text = texts.get(name) or texts.get("text") or (next(iter(texts.values())) if len(texts) == 1 else "")
    if not text.strip():
        raise RefusedError("empty_text")
    return text


def _choices(results: list[Row]) -> list[str]:
    found = [choice for item in results for choice in _of(item.get("value"))]
    return list(dict.fromkeys(found))


def _of(value: Any) -> list[str]:
    choices = value.get("choices") if isinstance(value, dict) else None
    return [choice for choice in choices if isinstance(choice, str)] if isinstance(choices, list) else []


def _task(text: str, name: str, kind: str, values: list[Row]) -> Row:
    result = [{"from_name": name, "to_name": "text", "type": kind, "value": value} for value in values]
    return {"data": {"text": text}, "annotations": [{"result": result}] if result or kind == "labels" else []}
