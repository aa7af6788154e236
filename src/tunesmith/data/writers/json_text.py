"""Rows as JSON: one object a line, or one document with all rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tunesmith.data.layouts.layout import Row
from tunesmith.data.layouts.question import documents


class JsonLines:
    """One object a line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="\n")

    def check(self, row: Row) -> None:
        """Every row fits."""

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        self._file.writelines(_dumps(row) + "\n" for row in rows)

    def close(self) -> None:
        """End the file."""
        self._file.close()


class JsonDocument:
    """An array of rows, each on its line, between what opens and what closes the document."""

    opening = "[\n"
    closing = "\n]\n"

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="\n")
        self._file.write(self.opening)
        self._written = 0

    def check(self, row: Row) -> None:
        """Every row fits."""

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        for row in rows:
            self._file.write((",\n" if self._written else "") + _dumps(row))
            self._written += 1

    def close(self) -> None:
        """End the document."""
        self._file.write(self.closing)
        self._file.close()


class SquadDocument(JsonDocument):
    """SQuAD: articles of paragraphs of questions; one article for questions that follow each other."""

    opening = '{"version": "v2.0", "data": [\n'
    closing = "\n]}\n"
    has_numbers = False

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._questions = 0

    def add(self, rows: Sequence[Row]) -> None:
        """Append questions."""
        super().add(list(documents(rows, self._questions, numbered=self.has_numbers)))
        self._questions += len(rows)


class CmrcDocument(SquadDocument):
    """CMRC 2018: the same with numbers for texts, and without unanswerable questions."""

    opening = '{"version": "v1.0", "data": [\n'
    has_numbers = True


def _dumps(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False)
