"""Prodigy's rows for classes: one class that was accepted or not, or options of which some were accepted."""

from __future__ import annotations

from typing import Any, ClassVar

from tunesmith.data import shapes
from tunesmith.data.layouts.layout import Mapped, RefusedError, Row, RowLayout, Sample, required
from tunesmith.data.table import as_text

_ANSWERS = ("accept", "reject", "ignore")


class Verdict(RowLayout):
    """{"text", "label", "answer"}: a class that was rejected is not the row's class."""

    name: ClassVar[str] = "prodigy"
    shape: ClassVar[str] = shapes.LABELLED
    fields: ClassVar[tuple[str, ...]] = ()

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """A text, one label, and nothing but Prodigy's answers."""
        text, label, answer = (sample.named(name) for name in ("text", "label", "answer"))
        is_prodigy = sample.all_are(answer, lambda cell: cell in _ANSWERS)
        if not (text and label and answer and is_prodigy) or not sample.all_are(label, _is_text):
            return []
        return [{"text": text, "label": label, "answer": answer}]

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row."""
        return True

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The text and the class that was accepted."""
        _require_accepted(row, mapping)
        return required(row, mapping["text"], "empty_text"), as_text(row[mapping["label"]])


class _Accepted(RowLayout):
    """{"text", "options": [{"id", "text"}], "accept": [id], "answer"}."""

    name: ClassVar[str] = "prodigy"
    fields: ClassVar[tuple[str, ...]] = ()
    holds_several: ClassVar[bool]

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """Options, and the ids of those that were accepted, as many as the shape holds."""
        beside = {name: sample.named(name) for name in ("text", "options", "accept", "answer")}
        found = {field: column for field, column in beside.items() if column is not None}
        are_options = sample.all_are(found.get("options"), _are_options)
        if not {"text", "accept"} <= found.keys() or not are_options:
            return []
        return [found] if sample.all_are(found["accept"], self._holds) else []

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Every row."""
        return True

    def accepted(self, row: Row, mapping: Mapped) -> tuple[str, list[str]]:
        """The text and the classes that were accepted."""
        _require_accepted(row, mapping)
        cell = row[mapping["accept"]] or []
        # Ids are the classes, or numbers for them.
        named = {option["id"]: option.get("text") for option in row[mapping["options"]] or []}
        labels = [as_text(one if isinstance(one, str) else named.get(one) or one) or "" for one in cell]
        return required(row, mapping["text"], "empty_text"), labels

    def _holds(self, cell: Any) -> bool:
        return isinstance(cell, list) and (self.holds_several or len(cell) <= 1)


class Choice(_Accepted):
    """At most one class for every text."""

    shape: ClassVar[str] = shapes.LABELLED
    holds_several: ClassVar[bool] = False

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The text and its class, null where none was chosen."""
        text, labels = self.accepted(row, mapping)
        if len(labels) > 1:
            raise RefusedError("bad_labels")
        return text, labels[0] if labels else None


class Choices(_Accepted):
    """Any number of classes for a text."""

    shape: ClassVar[str] = shapes.MULTILABELLED
    holds_several: ClassVar[bool] = True

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The text and its classes."""
        text, labels = self.accepted(row, mapping)
        return text, list(dict.fromkeys(labels))


def _require_accepted(row: Row, mapping: Mapped) -> None:
    if "answer" in mapping and row[mapping["answer"]] not in (None, "accept"):
        raise RefusedError("not_accepted")


def _is_text(cell: Any) -> bool:
    return isinstance(cell, str)


def _are_options(cell: Any) -> bool:
    return isinstance(cell, list) and all(isinstance(one, dict) and "id" in one for one in cell)
