"""Plain text: paragraphs, which blank lines divide; or lines, when no blank line divides any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tunesmith.data.readers.text import Start, Text
from tunesmith.data.table import RawTable, build


def has_paragraphs(start: Start) -> bool:
    """Whether a blank line stands between two that are not."""
    filled = [bool(line.strip()) for line in _universal(start.text).strip().split("\n")]
    return not all(filled)


@dataclass(slots=True)
class _Found:
    texts: list[str] = field(default_factory=list[str])
    lines: list[int] = field(default_factory=list[int])
    spans: list[int] = field(default_factory=list[int])
    blank: list[int] = field(default_factory=list[int])


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A file of plain text; `paragraphs` or lines are its rows."""

    text: Text
    paragraphs: bool

    def batches(self, size: int) -> Iterator[RawTable]:
        """The rows in batches of about `size` bytes; a paragraph is never divided."""
        found, paragraph = _Found(), list[str]()
        number = 0
        for block in self.text.blocks(size):
            for line in _lines(block):
                number += 1
                if line.strip() and self.paragraphs:
                    paragraph.append(line)
                elif line.strip():
                    _end(found, [line], number)
                else:
                    paragraph = _end(found, paragraph, number - 1)
                    found.blank.append(number)
            if found.lines or found.blank:
                yield self._table(found)
                found = _Found()
        _end(found, paragraph, number)
        yield self._table(found)

    def _table(self, found: _Found) -> RawTable:
        frame, _ = build({"text": found.texts})
        return RawTable(
            path=self.text.path,
            frame=frame,
            lines=tuple(found.lines),
            format="text",
            encoding=str(self.text.encoding),
            spans=tuple(found.spans),
            blank=tuple(found.blank),
        )


def _end(found: _Found, lines: list[str], last: int) -> list[str]:
    """Add the row whose last line is `last`, if there is one; the lines of the next."""
    if lines:
        found.texts.append("\n".join(lines))
        found.lines.append(last - len(lines) + 1)
        found.spans.append(len(lines))
    return []


def _universal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _lines(block: bytes) -> list[str]:
    lines = _universal(block.decode()).split("\n")
    # A block ends with the end of a line, after which no line begins; the last of a file may lack it.
    return lines if lines[-1] else lines[:-1]
