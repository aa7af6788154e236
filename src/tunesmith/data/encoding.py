"""Which encoding a file's bytes are in, decided by strict decoding and by how common the characters are.

1. A byte order mark decides (UTF-8, UTF-16).
2. NUL bytes nearly all on one parity: UTF-16 without a mark.
3. What decodes strictly as UTF-8 is UTF-8.
4. When most lines with non-ASCII bytes are UTF-8 and some are not, the rest is decoded line by line.
5. GBK, GB18030, Big5 and cp1252: each one that decodes strictly gets the share of its non-ASCII characters
   that are in its common zone; the best share wins if it is at least one half. The zones are the punctuation
   and the first level of GB 2312 (3,755 characters sorted by use) and of Big5 (5,401), and for cp1252 letters
   and typographic signs that stand alone or in twos. Text in one of the three seldom reaches one half in
   another: bytes of Big5 read as GBK land on rare characters, and Chinese read as cp1252 is one long run.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tunesmith.core.errors import DataError

_SAMPLE = 200_000
_ENOUGH = 0.5
_RUN = re.compile(r"[^\x00-\x7f]+")
_SIGNS = frozenset("€‚„…†‰‹‘’“”•–—™›¡¿°§«»£©®·´¨ªº²³±½¼¾×")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The text of a file, without byte order mark, and the name of its encoding."""

    text: str
    encoding: str


def decode(data: bytes, path: Path) -> Decoded:
    """Text and encoding of `data`, which came from `path`.

    Raises:
        DataError: D05 with the first line that fits no known encoding.
    """
    if marked := _by_mark(data):
        return marked
    try:
        return Decoded(text=data.decode("utf-8"), encoding="utf-8")
    except UnicodeDecodeError as error:
        if mixed := _line_by_line(data):
            return mixed
        if encoding := _by_zone(data):
            return Decoded(text=data.decode(encoding), encoding=encoding)
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError("D05", file=path, line=line) from error


def _by_mark(data: bytes) -> Decoded | None:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return _strict(data, encoding)
    if _nul_parity(data) == "odd":
        return _strict(data, "utf-16-le")
    if _nul_parity(data) == "even":
        return _strict(data, "utf-16-be")
    return None


def _strict(data: bytes, encoding: str) -> Decoded | None:
    try:
        return Decoded(text=data.decode(encoding), encoding=encoding)
    except UnicodeDecodeError:
        return None


def _nul_parity(data: bytes) -> str | None:
    """Where the NUL bytes of a sample are, when they are too many to be an accident."""
    sample = data[: _SAMPLE - _SAMPLE % 2]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if (even + odd) * 50 < len(sample) or max(even, odd) <= 4 * min(even, odd):
        return None
    return "even" if even > odd else "odd"


def _by_zone(data: bytes) -> str | None:
    scores: dict[str, float] = {}
    for encoding, score in _CANDIDATES:
        decoded = _strict(data, encoding)
        if decoded is not None:
            scores[encoding] = score(decoded.text[:_SAMPLE])
    # max() keeps the first of equals: the narrower encoding of a family stands first.
    best = max(scores, key=lambda name: scores[name], default=None)
    return best if best is not None and scores[best] >= _ENOUGH else None


def _zone(codec: str, last_common_lead: int, first_common_lead: int) -> Callable[[str], float]:
    def is_common(character: str) -> bool:
        try:
            lead = character.encode(codec)[0]
        except UnicodeEncodeError:
            return False
        return 0xA1 <= lead <= 0xA3 or first_common_lead <= lead <= last_common_lead

    def share(text: str) -> float:
        counts = Counter(character for character in text if character > "\x7f")
        common = sum(n for character, n in counts.items() if is_common(character))
        return common / max(1, counts.total())

    return share


def _latin_share(text: str) -> float:
    runs = _RUN.findall(text)
    good = sum(len(run) for run in runs if len(run) <= 2 and all(map(_is_latin, run)))
    return good / max(1, sum(map(len, runs)))


def _is_latin(character: str) -> bool:
    return character.isalpha() or character in _SIGNS


_gb_share = _zone("gb2312", 0xD7, 0xB0)
_big5_share = _zone("big5", 0xC6, 0xA4)
_CANDIDATES: tuple[tuple[str, Callable[[str], float]], ...] = (
    ("gbk", _gb_share),
    ("gb18030", _gb_share),
    ("big5", _big5_share),
    ("cp950", _big5_share),
    ("cp1252", _latin_share),
)


def _line_by_line(data: bytes) -> Decoded | None:
    """UTF-8 with some lines in another encoding; None when it is not mainly UTF-8."""
    lines = data.split(b"\n")
    decoded = [_strict(line, "utf-8") for line in lines]
    foreign = [line for line, text in zip(lines, decoded, strict=True) if text is None]
    proper = sum(text is not None and not text.text.isascii() for text in decoded)
    if proper <= len(foreign):
        return None
    encoding = _by_zone(b"\n".join(foreign))
    if encoding is None:
        return None
    text = "\n".join(
        line.decode(encoding) if known is None else known.text
        for line, known in zip(lines, decoded, strict=True)
    )
    return Decoded(text=text, encoding=f"utf-8 with {encoding.upper()} lines")
