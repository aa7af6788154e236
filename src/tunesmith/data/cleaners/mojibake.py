"""UTF-8 that was read as another encoding, undone by ftfy in the texts that may contain it."""

from __future__ import annotations

from functools import cache

import polars as pl

from tunesmith.data.clean import Cleaned, change_texts
from tunesmith.data.texts import on_suspect_lines, one_by_one, settled

# The encodings that ftfy undoes, with their usual letters outside ASCII.
_ENCODINGS = (
    "latin-1", "cp1252", "cp1251", "cp1250", "cp1253", "cp1254", "cp1257", "iso-8859-2", "mac-roman", "cp437",
)  # fmt: skip


def fix_mojibake(frame: pl.DataFrame) -> Cleaned:
    """UTF-8 that was read as another encoding and saved again is repaired (ftfy, its encoding step only)."""
    return change_texts(frame, repaired)


def repaired(texts: pl.Series) -> pl.Series:
    """Texts with mojibake undone; only lines that may contain it are looked at closely."""
    return on_suspect_lines(texts, _suspect(), lambda found: settled(found, _repaired))


def _repaired(texts: pl.Series) -> pl.Series:
    import ftfy

    return one_by_one(ftfy.fix_encoding)(texts)


@cache
def _suspect() -> str:
    """What the first two bytes of a UTF-8 character look like in any of the encodings, or a C1 control.

    `A` with circumflex or tilde before a plain space is what is left of a no-break space.
    """
    pairs = [rf"[{_letters(name, 0xC2, 0xF5)}][{_letters(name, 0x80, 0xC0)}]" for name in _ENCODINGS]
    return "|".join([r"[\x{80}-\x{9f}]", r"[\x{c2}\x{c3}] ", *pairs])


def _letters(encoding: str, first: int, end: int) -> str:
    """The characters of some bytes, for a class of a pattern; undefined bytes stand for themselves."""
    found = {bytes([byte]).decode(encoding, "ignore") or chr(byte) for byte in range(first, end)}
    return "".join(rf"\x{{{ord(letter):x}}}" for letter in sorted(found))
