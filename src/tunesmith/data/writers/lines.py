"""Rows as plain text: a text a line, two files whose lines belong together, tokens with tags (CoNLL)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tunesmith.data.layouts.layout import Row, UnfitError


class Lines:
    """The text of each row on its line; with several files, column by column."""

    def __init__(self, paths: Sequence[Path], columns: Sequence[str]) -> None:
        self._columns = columns
        self._files = [path.open("w", encoding="utf-8", newline="\n") for path in paths]

    def check(self, row: Row) -> None:
        """Refuse texts of more than one line, which would not be one row when read again.

        Raises:
            UnfitError: line_break.
        """
        if any("\n" in row[column] or "\r" in row[column] for column in self._columns):
            raise UnfitError("line_break")

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        for file, column in zip(self._files, self._columns, strict=True):
            file.writelines(row[column] + "\n" for row in rows)

    def close(self) -> None:
        """End the files."""
        for file in self._files:
            file.close()


class Conll:
    """A token and its tag on a line, a blank line after each row, `# text = ...` where spaces matter."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="\n")

    def check(self, row: Row) -> None:
        """Refuse texts of more than one line.

        Raises:
            UnfitError: line_break.
        """
        if "\n" in row.get("text", "") or "\r" in row.get("text", ""):
            raise UnfitError("line_break")

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows."""
        for row in rows:
            head = [f"# text = {row['text']}"] if "text" in row else []
            tokens = [f"{token}\t{tag}" for token, tag in zip(row["tokens"], row["tags"], strict=True)]
            self._file.write("\n".join([*head, *tokens]) + "\n\n")

    def close(self) -> None:
        """End the file."""
        self._file.close()
