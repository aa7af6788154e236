"""Which encoding a file's bytes are in, decided by strict decoding and by how common the characters are.

1. A byte order mark decides (UTF-8, UTF-16).
2. NUL bytes nearly all on one parity: UTF-16 without a mark.
3. What decodes strictly as UTF-8 is UTF-8; UTF-8 in which some characters are two surrogates is CESU-8.
4. When most lines with non-ASCII bytes are UTF-8 and some are not, the rest is decoded line by line.
5. GBK, GB18030, Big5 and cp1252: each one that decodes strictly gets the share of its non-ASCII characters
   that are in its common zone; the best share wins if it is at least one half. The zones are the punctuation
   and the first level of GB 2312 (3,755 characters sorted by use) and of Big5 (5,401), and for cp1252 letters
   and typographic signs that stand alone or in twos. Text in one of the three seldom reaches one half in
   another: bytes of Big5 read as GBK land on rare characters, and Chinese read as cp1252 is one long run.

Every rule is a pass over the file in pieces, so a file of any size takes little memory.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tunesmith.core.errors import DataError
from tunesmith.data.readers import stored

_SAMPLE = 200_000
_PIECE = 1024 * 1024
_ENOUGH = 0.5
_RUN = re.compile(r"[^\x00-\x7f]+")
_SIGNS = frozenset("€‚„…†‰‹‘’“”•–—™›¡¿°§«»£©®·´¨ªº²³±½¼¾×")
_HIGH = bytes(range(0x80, 0x100))
CESU = "cesu-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """The encoding of a file; lines that do not fit it are in `foreign`, where there are any."""

    name: str
    foreign: str | None = None

    def __str__(self) -> str:
        return self.name if self.foreign is None else f"{self.name} with {self.foreign.upper()} lines"


class Decoder(Protocol):
    """Decodes the pieces of a file one after the other."""

    def decode(self, piece: bytes, final: bool = False, /) -> str:
        """The text of the next piece, as far as its characters are complete."""


def decoder(name: str) -> Decoder:
    """A new strict decoder for an encoding found by `find`."""
    return _CesuDecoder() if name == CESU else codecs.getincrementaldecoder(name)()


class _CesuDecoder:
    """UTF-8 in which characters beyond 65,535 are two surrogates of three bytes each."""

    def __init__(self) -> None:
        self._kept = b""

    def decode(self, piece: bytes, final: bool = False, /) -> str:
        data = self._kept + piece
        # Runs of non-ASCII bytes are decoded whole: a pair must not be divided.
        size = len(data) if final else len(data.rstrip(_HIGH))
        self._kept = data[size:]
        text = data[:size].decode("utf-8", "surrogatepass")
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def find(path: Path) -> Encoding:
    """The encoding of a file.

    Raises:
        NotFoundError: D01 when there is no such file.
        DataError: D03 when it cannot be read, D05 with the first line that fits no known encoding.
    """
    return find_in(lambda: stored.pieces(path, _PIECE), path)


def find_in(pieces: Callable[[], Iterator[bytes]], path: Path) -> Encoding:
    """The encoding of bytes, which can be gone through again and came from `path`."""
    start = next(pieces(), b"")
    for name in (*_marked(start), *_by_parity(start)):
        if _fits(name, pieces()):
            return Encoding(name=name)
    if (line := _misfit("utf-8", pieces())) is None:
        return Encoding(name="utf-8")
    if _fits(CESU, pieces()):
        return Encoding(name=CESU)
    if foreign := _of_some_lines(pieces()):
        return Encoding(name="utf-8", foreign=foreign)
    if found := _by_zone(pieces()):
        return Encoding(name=found)
    raise DataError("D05", file=path, line=line)


def _marked(start: bytes) -> list[str]:
    marks = (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    )
    return [name for mark, name in marks if start.startswith(mark)]


def _by_parity(start: bytes) -> list[str]:
    """UTF-16 by where the NUL bytes of a sample are, when they are too many to be an accident."""
    sample = start[: min(_SAMPLE, len(start) - len(start) % 2)]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if (even + odd) * 50 < len(sample) or max(even, odd) <= 4 * min(even, odd):
        return []
    return ["utf-16-be" if even > odd else "utf-16-le"]


def _fits(name: str, pieces: Iterable[bytes]) -> bool:
    return _misfit(name, pieces) is None


def _misfit(name: str, pieces: Iterable[bytes]) -> int | None:
    """The first line that is not in an encoding."""
    decode = decoder(name).decode
    line = 1
    try:
        for piece in pieces:
            line += decode(piece).count("\n")
        decode(b"", True)
    except UnicodeDecodeError as error:
        return line + error.object.count(b"\n", 0, error.start)
    return None


class _Candidates:
    """The encodings that all of what was seen is in, each with the beginning of its text."""

    def __init__(self) -> None:
        self._left = {name: (decoder(name), score) for name, score in _CANDIDATES}
        self._starts = dict.fromkeys(self._left, "")

    def see(self, piece: bytes, final: bool = False) -> None:
        for name in list(self._left):
            try:
                text = self._left[name][0].decode(piece, final)
            except UnicodeDecodeError:
                del self._left[name]
                continue
            if len(self._starts[name]) < _SAMPLE:
                self._starts[name] += text[: _SAMPLE - len(self._starts[name])]

    def best(self) -> str | None:
        self.see(b"", final=True)
        scores = {name: score(self._starts[name]) for name, (_, score) in self._left.items()}
        # max() keeps the first of equals: the narrower encoding of a family stands first.
        name = max(scores, key=lambda name: scores[name], default=None)
        return name if name is not None and scores[name] >= _ENOUGH else None


def _by_zone(pieces: Iterable[bytes]) -> str | None:
    candidates = _Candidates()
    for piece in pieces:
        candidates.see(piece)
    return candidates.best()


def _of_some_lines(pieces: Iterable[bytes]) -> str | None:
    """The encoding of the lines that are not UTF-8; None when it is not mainly UTF-8."""
    candidates = _Candidates()
    proper = foreign = 0
    for block in whole_lines(pieces):
        for line in block.split(b"\n"):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                proper += 1
            except UnicodeDecodeError:
                foreign += 1
                candidates.see(line + b"\n")
    return candidates.best() if proper > foreign else None


def whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that end with a line; a line longer than a piece makes a longer one."""
    kept: list[bytes] = []
    before: bytes | None = None
    for piece in pieces:
        if before is not None:
            end = before.rfind(b"\n") + 1
            if end:
                yield b"".join((*kept, before[:end]))
                kept = []
            kept.append(before[end:])
        before = piece
    # A last line without an end belongs to the last piece: what fits one piece comes as one.
    if last := b"".join((*kept, before or b"")):
        yield last


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
