"""Text on a terminal: how wide it is and where its lines may break, in Latin and in Chinese."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterator, Sequence

# A Chinese character stands alone and takes what must not begin a line with it; other words end at a space.
_WIDE = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]"
_CLOSING = r"[，。；：、！？）》」』”]*"
_PIECE = re.compile(rf"\s+|[（《「『“]*{_WIDE}{_CLOSING}|(?:(?!{_WIDE})\S)+{_CLOSING}")

# Marks on the letter before, and what joins emoji.
_NO_COLUMN = ("Mn", "Me", "Cf")


def width(words: str) -> int:
    """The columns that `words` take on a terminal."""
    return sum(_columns(character) for character in words)


def _columns(character: str) -> int:
    if unicodedata.category(character) in _NO_COLUMN:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(words: str, columns: int) -> str:
    """`words` with spaces after them, up to `columns`."""
    return words + " " * (columns - width(words))


def wrap(words: str, columns: int) -> list[str]:
    """Lines of at most `columns`, unless a single word is longer."""
    lines = [""]
    for piece in _PIECE.findall(" ".join(words.split())):
        if width((lines[-1] + piece).rstrip()) > columns and lines[-1]:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [line.rstrip() for line in lines]


def pairs(rows: Sequence[tuple[str, str]], columns: int = 80) -> Iterator[str]:
    """Lines of names and their values, the values under each other; rows without a value are left out."""
    shown = [(name, value) for name, value in rows if value]
    indent = max((width(name) for name, _ in shown), default=0) + 4
    for name, value in shown:
        first, *rest = wrap(value, columns - indent)
        yield "  " + pad(name, indent - 2) + first
        yield from (" " * indent + line for line in rest)


def count(number: int) -> str:
    """A number of parameters or bytes as people say it: 260, 22.7M, 1.5B."""
    for size, unit in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


def mebibytes(size: int) -> str:
    """A number of bytes: 12.3 MiB."""
    return f"{size / 2**20:.1f} MiB"


def moment(seconds: float) -> str:
    """A time since 1970 as date and time here."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
