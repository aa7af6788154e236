"""Tokens and tags one a line, sentences divided by blank lines: CoNLL, BIO, BIOES, IOB2.

Which field is the token and which the tag is found from the content. A row is a sentence with the columns
`tokens`, `tags` and, where comments give it, `text`. A sentence in which a line lacks fields is broken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tunesmith.data.readers.text import Start, Text
from tunesmith.data.table import Broken, RawTable, build

SUFFIXES = (".conll", ".iob2", ".iob", ".bio", ".bioes")
_TAG = re.compile(r"O|[BIESLUM]-\S+")
_INSIDE = re.compile(r"[BIESLUM]-\S+")
_COUNT = re.compile(r"\d+(?:[-.]\d+)?")
_TEXT = re.compile(r"#\s*text\s*=\s?(.*)")
_DOCUMENT = "-DOCSTART-"
_ENOUGH = 0.95
_LOOKED_AT = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How many fields a line has, what divides them (None: white space), and which are token and tag."""

    separator: str | None
    width: int
    token: int
    tag: int

    def fields(self, lines: list[str]) -> list[list[str]]:
        """The fields of each line."""
        # A tab at the end has an empty field behind it; a space has nothing.
        if self.separator != "\t":
            lines = [line.rstrip(" ") for line in lines]
        return [line.split(self.separator) for line in lines]

    def is_comment(self, line: str, *, first: bool) -> bool:
        """A line that begins with `#` and is no token: a comment stands before the tokens of a sentence."""
        if not line.startswith("#"):
            return False
        return len(line.split(self.separator)) != self.width or (
            first and self.separator == "\t" and line.startswith("# ")
        )


def find(start: Start, *, hinted: bool) -> Layout | None:
    """The layout of a text in which every line has a token and a tag; None when it is something else.

    Some tag must begin or continue an entity, unless the name of the file says what it is (`hinted`).
    """
    looked_at = [line.rstrip("\r ") for line in start.text.split("\n", _LOOKED_AT)[:_LOOKED_AT]]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sentence:
    line: int
    tokens: list[str]
    tags: list[str]
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conll:
    """A file of tokens with tags."""

    text: Text
    layout: Layout

    def batches(self, size: int) -> Iterator[RawTable]:
        """The sentences in batches of about `size` bytes."""
        number, sentence = 0, list[str]()
        for block in self.text.blocks(size):
            found: list[_Sentence | Broken] = []
            lines = block.replace(b"\r\n", b"\n").decode().split("\n")
            for line in lines if lines[-1] else lines[:-1]:
                number += 1
                if line and not line.isspace():
                    sentence.append(line)
                elif sentence:
                    found += self._read(sentence, number - len(sentence))
                    sentence = []
            yield self._table(found)
        yield self._table(self._read(sentence, number - len(sentence) + 1))

    def _read(self, lines: list[str], number: int) -> list[_Sentence | Broken]:
        """The sentence whose lines begin at `number`; nothing where there are only comments."""
        before, text = self._comments(lines)
        rows = self.layout.fields(lines[before:])
        if not rows:
            return []
        if set(map(len, rows)) != {self.layout.width}:
            kept = [
                i for i, line in enumerate(lines[before:]) if not self.layout.is_comment(line, first=False)
            ]
            bad = next((i for i in kept if len(rows[i]) != self.layout.width), None)
            if bad is not None:
                values = {"found": len(rows[bad]), "expected": self.layout.width}
                return [Broken(line=number + before + bad, code="D41", values=values)]
            rows = [rows[i] for i in kept]
        tokens = [row[self.layout.token] for row in rows]
        tags = [row[self.layout.tag] for row in rows]
        return [_Sentence(line=number + before, tokens=tokens, tags=tags, text=text)]

    def _comments(self, lines: list[str]) -> tuple[int, str | None]:
        """How many lines come before the tokens, and the text that one of them gives."""
        text = None
        for before, line in enumerate(lines):
            if not line.startswith(_DOCUMENT) and not self.layout.is_comment(line, first=True):
                return before, text
            match = _TEXT.match(line)
            text = match[1].rstrip() if match else text
        return len(lines), text

    def _table(self, found: list[_Sentence | Broken]) -> RawTable:
        good = [sentence for sentence in found if isinstance(sentence, _Sentence)]
        columns = {"tokens": [s.tokens for s in good], "tags": [s.tags for s in good]}
        texts = [sentence.text for sentence in good]
        frame, nested = build({**columns, "text": texts} if any(texts) else columns)
        return RawTable(
            path=self.text.path,
            frame=frame,
            lines=tuple(sentence.line for sentence in good),
            format="conll",
            encoding=str(self.text.encoding),
            nested=nested,
            broken=tuple(sentence for sentence in found if isinstance(sentence, Broken)),
        )
