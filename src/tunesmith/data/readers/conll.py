"""Tokens and tags one a line, sentences divided by blank lines: CoNLL, BIO, BIOES, IOB2.

Which field is the token and which the tag is found from the content. A row is a sentence with the columns
`tokens`, `tags` and, where comments give it, `text`. A sentence in which a line lacks fields is broken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tunesmith.data.readers.text import Start, Text
from tunesmith.data.table import Broken, RawTable, build

SUFFIXES = (".conll", ".iob2", ".iob", ".bio", ".bioes")
_TAG = re.compile(r"O|[BIESLUM]-\S+")
_INSIDE = re.compile(r"[BIESLUM]-\S+")
_COUNT = re.compile(r"\d+(?:[-.]\d+)?")
_TEXT = re.compile(r"#\s*text\s*=\s?(.*)")
_DOCUMENT = "-DOCSTART-"
_END = "\r "
_ENOUGH = 0.95
_LOOKED_AT = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How many fields a line has, what divides them (None: white space), and which are token and tag."""

    separator: str | None
    width: int
    token: int
    tag: int

    def is_comment(self, line: str, *, inside: bool) -> bool:
        """A line that begins with `#` and is no token: a comment stands before the tokens of a sentence."""
        if not line.startswith("#"):
            return False
        return len(line.split(self.separator)) != self.width or (
            self.separator == "\t" and line.startswith("# ") and not inside
        )


def find(start: Start, *, hinted: bool) -> Layout | None:
    """The layout of a text in which every line has a token and a tag; None when it is something else.

    Some tag must begin or continue an entity, unless the name of the file says what it is (`hinted`).
    """
    looked_at = [line.rstrip(_END) for line in start.text.split("\n")[:_LOOKED_AT]]
    lines = [line for line in looked_at if line.strip() and not line.startswith(("# ", _DOCUMENT))]
    if not lines or not (hinted or any(not line.strip() for line in looked_at[:-1])):
        return None
    separator = next(
        (mark for mark in "\t " if sum(mark in line for line in lines) >= _ENOUGH * len(lines)), None
    )
    rows = [line.split(separator) for line in lines]
    width = Counter(map(len, rows)).most_common(1)[0][0]
    regular = [row for row in rows if len(row) == width]
    tags = [i for i in range(1, width) if _share([row[i] for row in regular], _TAG.fullmatch) >= _ENOUGH]
    inside = [i for i in tags if any(_INSIDE.fullmatch(row[i]) for row in regular)]
    if not inside and not (tags and hinted):
        return None
    if len(regular) < _ENOUGH * len(rows):
        return None
    counted = width > 2 and _share([row[0] for row in regular], _COUNT.fullmatch) == 1
    return Layout(separator=separator, width=width, token=int(counted), tag=(inside or tags)[-1])


def _share(items: list[str], test: Callable[[str], object]) -> float:
    return sum(bool(test(item)) for item in items) / len(items)


@dataclass(slots=True)
class _Sentence:
    line: int = 0
    tokens: list[str] = field(default_factory=list[str])
    tags: list[str] = field(default_factory=list[str])
    text: str | None = None
    broken: Broken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conll:
    """A file of tokens with tags."""

    text: Text
    layout: Layout

    def batches(self, size: int) -> Iterator[RawTable]:
        """The sentences in batches of about `size` bytes."""
        number, sentence = 0, _Sentence()
        for block in self.text.blocks(size):
            found: list[_Sentence] = []
            lines = block.decode().split("\n")
            for line in lines if lines[-1] else lines[:-1]:
                number += 1
                if line.strip():
                    self._read(line.rstrip(_END), number, sentence)
                elif sentence.line:
                    found.append(sentence)
                    sentence = _Sentence()
            yield self._table(found)
        yield self._table([sentence] if sentence.line else [])

    def _read(self, line: str, number: int, sentence: _Sentence) -> None:
        if self.layout.is_comment(line, inside=bool(sentence.line)):
            if match := _TEXT.match(line):
                sentence.text = match[1].rstrip()
            return
        if line.startswith(_DOCUMENT):
            return
        sentence.line = sentence.line or number
        fields = line.split(self.layout.separator)
        if len(fields) != self.layout.width:
            values = {"found": len(fields), "expected": self.layout.width}
            sentence.broken = sentence.broken or Broken(line=number, code="D41", values=values)
            return
        sentence.tokens.append(fields[self.layout.token])
        sentence.tags.append(fields[self.layout.tag])

    def _table(self, found: list[_Sentence]) -> RawTable:
        good = [sentence for sentence in found if sentence.broken is None]
        columns = {"tokens": [s.tokens for s in good], "tags": [s.tags for s in good]}
        texts = [sentence.text for sentence in good]
        frame, nested = build(columns | ({"text": texts} if any(texts) else {}))
        return RawTable(
            path=self.text.path,
            frame=frame,
            lines=tuple(sentence.line for sentence in good),
            format="conll",
            encoding=str(self.text.encoding),
            nested=nested,
            broken=tuple(sentence.broken for sentence in found if sentence.broken is not None),
        )
