"""A JSON text of any length, of which a window is in memory: the value at hand and what is read ahead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.core.errors import DataError
from tunesmith.data.readers.json_value import DECODER, whole, without_trailing_commas

_SPACE = re.compile(r"[ \t\r\n]*")
_HALF_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]")
_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|(NaN|-?Infinity)')
# An escape, a literal or the exponent of a number may be cut by the end of the window; none is longer.
_MARGIN = 32


class Window:
    """Reads the values of a JSON text one after the other.

    Every method that reads raises DataError D04 with the line of a mistake.
    """

    def __init__(self, pieces: Iterator[str], path: Path) -> None:
        self._pieces = pieces
        self._path = path
        self._text = ""
        self._at = 0
        self._line, self._counted = 1, 0
        self._dropped = 0

    @property
    def passed(self) -> int:
        """How many characters have been read."""
        return self._dropped + self._at

    def peek(self) -> str:
        """The next character that is not white space; nothing at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def take(self, character: str) -> None:
        """Pass over the next character, which must be this one."""
        if self.peek() != character:
            raise self.error(f"Expecting '{character}' delimiter")
        self._at += 1

    def value(self) -> tuple[Any, int]:
        """The next value and the line on which it starts."""
        self.peek()
        line = self._line_of(self._at)
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not (self._is_cut(error) and self._more()) and not self._mend(error):
                    raise self.error(error.msg, error.pos) from error
                continue
            except ValueError as error:
                raise self.error(str(error), self._constant()) from error
            except RecursionError as error:
                raise DataError("D04", file=self._path, line=line, reason="nested too deeply") from error
            if isinstance(value, int | float) and end > len(self._text) - _MARGIN and self._more():
                continue
            if _HALF_ESCAPED.search(self._text, self._at, end):
                value = whole(value)
            self._at = end
            return value, line

    def array(self) -> Iterator[tuple[Any, int]]:
        """The elements of the array that is next, each with its line."""
        self.take("[")
        while self.peek() != "]":
            yield self.value()
            self._after_element("]")
        self.take("]")

    def names(self) -> Iterator[str]:
        """The names in the object that is next; after each, its value must be read."""
        self.take("{")
        while self.peek() != "}":
            name, _ = self.value()
            if not isinstance(name, str):
                raise self.error("Expecting property name enclosed in double quotes")
            self.take(":")
            yield name
            self._after_element("}")
        self.take("}")

    def end(self) -> None:
        """Nothing more may follow."""
        if self.peek():
            raise self.error("Extra data")

    def error(self, reason: str, position: int | None = None) -> DataError:
        """A mistake at a position of the window, which is the next character unless given."""
        line = self._line_of(self._at if position is None else position)
        return DataError("D04", file=self._path, line=line, reason=reason)

    def _after_element(self, closing: str) -> None:
        following = self.peek()
        if following == ",":
            self.take(",")
        elif following != closing:
            raise self.error("Expecting ',' delimiter")

    def _line_of(self, position: int) -> int:
        line = self._line + self._text.count("\n", self._counted, position)
        if position == self._at:
            self._line, self._counted = line, position
        return line

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        return error.pos >= len(self._text) - _MARGIN or error.msg.startswith("Unterminated string")

    def _constant(self) -> int:
        """Where the next value has a constant that is not JSON."""
        found = (match for match in _CONSTANT.finditer(self._text, self._at) if match[1])
        return next((match.start() for match in found), self._at)

    def _mend(self, error: json.JSONDecodeError) -> bool:
        """Blank the commas before closing brackets if one of them is the mistake."""
        at_comma = error.msg.startswith("Illegal trailing comma")
        if not at_comma and self._text[error.pos : error.pos + 1] not in ("}", "]"):
            return False
        ahead = self._text[self._at :]
        mended = without_trailing_commas(ahead)
        self._text = self._text[: self._at] + mended
        return mended != ahead

    def _more(self) -> bool:
        """Twice as much ahead, so that the longest value is not begun too often."""
        ahead = [self._text[self._at :]]
        wanted = read = 0
        while (piece := next(self._pieces, None)) is not None:
            ahead.append(piece)
            read += len(piece)
            wanted = wanted or max(len(ahead[0]), 1)
            if read >= wanted:
                break
        if not read:
            return False
        self._line_of(self._at)
        self._dropped += self._at
        self._text, self._at, self._counted = "".join(ahead), 0, 0
        return True
