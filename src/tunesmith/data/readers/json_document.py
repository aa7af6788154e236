"""A JSON document read through a sliding window: its rows are the elements of one array, however long.

What kind of document it is (`Plan`) is decided from its beginning: an array of objects or of texts, an object
that has the rows under a key, questions about paragraphs (`squad`), or an object that is itself the only row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.data.readers import squad, stored
from tunesmith.data.readers.json_lines import Rows
from tunesmith.data.readers.json_value import decode
from tunesmith.data.readers.json_window import Window
from tunesmith.data.readers.text import Start, Text
from tunesmith.data.table import RawTable

_CONVERSATION = ("messages", "conversations", "conversation")
_WRAPPERS = frozenset((
    "data", "rows", "row", "examples", "example", "items", "item", "records", "record", "results", "result",
    "samples", "sample", "instances", "entries", "dataset", "documents", "list", "values", "features",
    "train", "training", "validation", "valid", "val", "dev", "test", "eval", "root", "content", "数据",
))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where the rows are: in an array (at the top or under `key`), or the document is one row.

    `texts`: the elements are texts. `squad`: they are articles. `named`: `key` says something about them.
    """

    array: bool = False
    key: str | None = None
    texts: bool = False
    squad: bool = False
    named: bool = False


def plan(start: Start, path: Path) -> Plan:
    """Where the rows of a document are, from its beginning.

    Raises:
        DataError: D04 with the line of a mistake, D14 when several keys hold rows.
    """
    window = Window(iter([start.text]), path)
    if not window.peek():
        return Plan(array=True)
    if not start.whole:
        return _plan_of_beginning(window)
    value, _ = window.value()
    window.end()
    if isinstance(value, list):
        return _plan_of_rows(value, None)
    keys = _row_keys(value)
    if len(keys) > 1:
        raise DataError("D14", file=path, keys=", ".join(keys))
    return _plan_of_rows(value[keys[0]], keys[0]) if keys else Plan()


def _plan_of_rows(rows: list[Any], key: str | None) -> Plan:
    texts = bool(rows) and all(isinstance(row, str) for row in rows)
    named = key is not None and key.casefold() not in _WRAPPERS and not any("key" in row for row in rows)
    articles = bool(rows) and squad.is_article(rows[0])
    return Plan(array=key is None, key=key, texts=texts, squad=articles, named=named)


def _plan_of_beginning(window: Window) -> Plan:
    """The same for a document that goes on: the first rows decide."""
    try:
        if window.peek() == "[":
            return _plan_of_rows([next(window.array())[0]], None)
        for name in window.names():
            first = next(window.array(), (None, 0))[0] if window.peek() == "[" else window.value()[0]
            if isinstance(first, dict) and name not in _CONVERSATION:
                return _plan_of_rows([first], name)
    except DataError:
        # The beginning ends within the first value.
        return Plan(array=window.passed == 0)
    return Plan()


def _row_keys(value: Any) -> list[str]:
    """The keys of an object under which there are several rows, or one that is not a conversation."""
    if not isinstance(value, dict):
        return []
    return [key for key, item in value.items() if isinstance(item, list) and _are_rows(key, item)]


def _are_rows(key: str, items: list[Any]) -> bool:
    return bool(items) and key not in _CONVERSATION and all(isinstance(item, dict) for item in items)


def is_lines(start: Start, path: Path) -> bool:
    """One value a line: the first line is a whole object that is not all of the file's rows.

    A file that is called lines has its only row there, lists of objects in it or not, unless one of them is
    called rows, or there is nothing beside it.
    """
    named = stored.suffix(path) in (".jsonl", ".ndjson")
    first, _, rest = start.text.strip("\0 \t\r\n").partition("\n")
    try:
        value = decode(first.encode())
    except (ValueError, RecursionError):
        # A damaged first line: an array opens with a bracket, anything else is what the name says.
        return named and not first.lstrip().startswith("[")
    more = bool(rest.strip()) or not start.whole
    keys = _row_keys(value)
    of_a_row = named and len(value) > 1 and not any(key.casefold() in _WRAPPERS for key in keys)
    return more or (isinstance(value, dict) and (not keys or of_a_row))


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonDocument:
    """A file that is one JSON document."""

    text: Text
    plan: Plan

    def batches(self, size: int) -> Iterator[RawTable]:
        """The rows in batches of about `size` characters.

        Raises:
            DataError: D04 with the line of a mistake; D14 when several keys hold rows.
        """
        window = Window(self.text.texts(size), self.text.path)
        found, before = Rows(), 0
        for value, line in self._elements(window):
            rows = self._rows(value)
            for row in rows or ():
                found.add(row, line)
            if rows is None:
                found.reject(line, "article without questions")
            if window.passed - before >= size:
                yield found.table(self.text, "json")
                found, before = Rows(), window.passed
        yield found.table(self.text, "json")

    def _elements(self, window: Window) -> Iterator[tuple[Any, int]]:
        if not window.peek():
            return
        if self.plan.array:
            yield from window.array()
        elif self.plan.key is not None:
            yield from self._under_key(window)
        else:
            yield window.value()
        window.end()

    def _under_key(self, window: Window) -> Iterator[tuple[Any, int]]:
        for name in window.names():
            if window.peek() != "[":
                window.value()
            elif name == self.plan.key:
                yield from window.array()
            elif name not in _CONVERSATION and _skip_array(window):
                raise DataError("D14", file=self.text.path, keys=f"{self.plan.key}, {name}")

    def _rows(self, value: Any) -> list[Any] | None:
        """The rows that an element stands for; None when it should be an article and is not."""
        if self.plan.squad:
            return squad.rows(value)
        if self.plan.texts and isinstance(value, str):
            return [{"text": value}]
        if self.plan.named and isinstance(value, dict) and "key" not in value:
            return [{"key": self.plan.key, **value}]
        return [value]


def _skip_array(window: Window) -> bool:
    """Pass over an array; whether all of its elements were rows."""
    kinds = {isinstance(item, dict) for item, _ in window.array()}
    return kinds == {True}
