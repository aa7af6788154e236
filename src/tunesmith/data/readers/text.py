"""The text of a file in pieces of bounded size, whatever its encoding.

Blocks are UTF-8 and end with a line, so that they can be read without their neighbours; texts may end
anywhere between two characters, for a document in which one line can be the whole file.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tunesmith.data import encoding
from tunesmith.data.encoding import Encoding, decoder, whole_lines
from tunesmith.data.readers import stored

_START = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text file: where it is and what its bytes mean. With `old`, a lone carriage return ends a line."""

    path: Path
    encoding: Encoding
    old: bool = False

    def blocks(self, size: int) -> Iterator[bytes]:
        """The text as UTF-8 without byte order mark, in pieces of about `size` bytes that end with a line."""
        if self.encoding.foreign is not None:
            yield from self._mended(size)
        elif self.encoding.name in ("utf-8", "utf-8-sig") and not self.old:
            yield from whole_lines(_unmarked(stored.pieces(self.path, size)))
        else:
            yield from whole_lines(text.encode() for text in self.texts(size))

    def texts(self, size: int) -> Iterator[str]:
        """The text in pieces of about `size` bytes."""
        if self.encoding.foreign is not None:
            yield from (block.decode() for block in self.blocks(size))
            return
        decode = decoder(self.encoding.name).decode
        for piece in stored.pieces(self.path, size):
            if text := decode(piece):
                yield text.replace("\r", "\n") if self.old else text
        if text := decode(b"", True):
            yield text

    def _mended(self, size: int) -> Iterator[bytes]:
        """UTF-8 as it is, line for line; the other lines from their encoding."""
        for block in whole_lines(_unmarked(stored.pieces(self.path, size))):
            yield b"\n".join(self._as_utf8(line) for line in block.split(b"\n"))

    def _as_utf8(self, line: bytes) -> bytes:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return line.decode(self.encoding.foreign or "utf-8").encode()
        return line


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The beginning of a text, from which it is recognised; `whole` when that is all of it."""

    text: str
    whole: bool


def open_text(path: Path) -> Text:
    """A text file with its encoding.

    Raises:
        NotFoundError: D01 when there is no such file.
        DataError: D03 when it cannot be read, D05 when its encoding is not known.
    """
    found = encoding.find(path)
    text = Text(path=path, encoding=found)
    first = next(text.texts(_START), "")
    return Text(path=path, encoding=found, old="\r" in first[:-1] and "\n" not in first)


def start_of(text: Text, size: int) -> Start:
    """The first `size` bytes or so; of a longer file, whole lines, where it has lines at all."""
    pieces = text.texts(size)
    first, more = next(pieces, ""), next(pieces, None)
    if more is None:
        return Start(text=first, whole=True)
    end = first.rfind("\n") + 1
    return Start(text=first[:end] if end else first, whole=False)


def _unmarked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = next(pieces, b"")
    while len(first) < len(codecs.BOM_UTF8) and (more := next(pieces, b"")):
        first += more
    yield first.removeprefix(codecs.BOM_UTF8)
    yield from pieces
