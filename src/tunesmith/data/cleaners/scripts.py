"""How many characters of each script texts have, counted for a whole column at once."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

KINDS = (
    "space", "symbol", "digit", "mark", "latin", "han", "kana", "hangul", "cyrillic", "greek", "arabic",
    "hebrew", "thai", "devanagari", "other",
)  # fmt: skip
"""What a character can be; from `latin` on they are letters of a script."""

LETTERS = KINDS[4:]

_SCRIPTS = {
    "latin": ((0x41, 0x24F), (0x1E00, 0x1EFF), (0xFF21, 0xFF5A)),
    "han": ((0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)),
    "kana": ((0x3041, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9D)),
    "hangul": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7A3)),
    "cyrillic": ((0x400, 0x52F),),
    "greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "arabic": ((0x600, 0x6FF), (0x750, 0x77F)),
    "hebrew": ((0x590, 0x5FF),),
    "thai": ((0xE00, 0xE7F),),
    "devanagari": ((0x900, 0x97F),),
}
_BY_CATEGORY = {"L": "other", "M": "mark", "N": "digit", "Z": "space"}


def counts(texts: pl.Series) -> pl.DataFrame:
    """One column of counts for each of `KINDS`, one row for each text; null counts as empty."""
    values = texts.fill_null("").to_list()
    codes = np.frombuffer("".join(values).encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    cells = np.repeat(np.arange(len(values)) * len(KINDS), lengths) + _table()[codes]
    table = np.bincount(cells, minlength=len(values) * len(KINDS)).reshape(len(values), len(KINDS))
    return pl.DataFrame(table, schema=dict.fromkeys(KINDS, pl.Int64))


@cache
def _table() -> npt.NDArray[np.uint8]:
    """What each code point is. Letters beyond the first plane, but Chinese, are `other`."""
    table = np.full(sys.maxunicode + 1, KINDS.index("symbol"), np.uint8)
    table[:0x10000] = [_kind(chr(code)) for code in range(0x10000)]
    for script, ranges in _SCRIPTS.items():
        for first, last in ranges:
            part = table[first : last + 1]
            is_letter = (part == KINDS.index("other")) | (first > 0xFFFF)
            part[is_letter] = KINDS.index(script)
    return table


def _kind(character: str) -> int:
    if character.isspace():
        return KINDS.index("space")
    return KINDS.index(_BY_CATEGORY.get(unicodedata.category(character)[0], "symbol"))
