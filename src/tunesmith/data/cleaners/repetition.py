"""Rows that say the same again and again, after Rae et al. 2021 (Gopher), table A1.

Their rules count words. Here a passage is a run of characters, so that Chinese is judged alike. All passages
of a column are hashed at once; only texts in which many may recur are counted exactly.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
import polars as pl
from annotated_types import Ge, Le

from tunesmith.data.clean import Cleaned, drop_where
from tunesmith.data.texts import text_of

Share = Annotated[float, Ge(0), Le(1)]

_PASSAGE = 16  # characters; a power of two, hashed by doubling
_SHORTEST = 100  # characters; in shorter texts nothing can be repetitive by these shares
_FEWEST_LINES = 4
_BLOCK = 1 << 15  # characters hashed at once: what fits the cache of a processor
_FACTORS = np.array((0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F, 0x165667B1), np.uint32)


def drop_repetitive(frame: pl.DataFrame, *, lines: Share = 0.3, passages: Share = 0.3) -> Cleaned:
    """Rows with too large a share of repeated lines, or of passages of 16 characters that occurred before.

    `lines` is the largest share of a text's characters in lines that stood there before, `passages` that
    of its passages. Texts of fewer than 100 characters stay.
    """
    texts = text_of(frame).fill_null("")
    places = (texts.str.len_chars() >= _SHORTEST).arg_true()
    long = texts.gather(places).to_list()
    most = _most_repeated(long)
    gone = [
        repeated_lines(text) > lines or (bound > passages and repeated_passages(text) > passages)
        for text, bound in zip(long, most, strict=True)
    ]
    chosen = pl.repeat(False, len(texts), eager=True).scatter(places, pl.Series(gone, dtype=pl.Boolean))
    return drop_where(frame, chosen, "repetitive")


def repeated_lines(text: str) -> float:
    """The share of a text's characters in lines that occurred before in it; blank lines do not count."""
    if text.count("\n") < _FEWEST_LINES - 1:
        return 0.0
    lines = [stripped for line in text.split("\n") if (stripped := line.strip())]
    total = sum(map(len, lines))
    return 1 - sum(map(len, set(lines))) / total if total else 0.0


def repeated_passages(text: str) -> float:
    """The share of a text's passages of 16 characters that occurred before in it."""
    count = len(text) - _PASSAGE + 1
    return 1 - len({text[at : at + _PASSAGE] for at in range(count)}) / count if count > 0 else 0.0


def _most_repeated(texts: list[str]) -> list[float]:
    """An upper bound on `repeated_passages` for texts of at least 16 characters."""
    bounds: list[float] = []
    block: list[str] = []
    size = 0
    for text in texts:
        block.append(text)
        size += len(text)
        if size >= _BLOCK:
            bounds += _bounds(block)
            block, size = [], 0
    return bounds + _bounds(block) if block else bounds


def _bounds(texts: list[str]) -> list[float]:
    """All passages are thrown into one table, and those that still own their place afterwards are counted.

    Two that meet by chance look like a repetition, never the other way round.
    """
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    hashes = _hashes(np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32))
    # The same passage of another text gets another place.
    hashes += np.repeat(np.arange(len(texts), dtype=np.uint32) * _FACTORS[0], lengths)[: len(hashes)]
    bits = (4 * len(hashes)).bit_length()
    places = (hashes >> np.uint32(32 - bits)).astype(np.intp)
    order = np.arange(len(hashes), dtype=np.int32)
    table = np.empty(1 << bits, np.int32)
    table[places] = order
    sums = np.zeros(len(hashes) + 1, np.int32)
    np.cumsum(table[places] == order, out=sums[1:])
    # Passages that run into the next text are not this one's: its sum ends with its own last one.
    counts = lengths - _PASSAGE + 1
    starts = np.cumsum(lengths) - lengths
    bounds: list[float] = (1 - (sums[starts + counts] - sums[starts]) / counts).tolist()
    return bounds


def _hashes(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """A hash of each run of 16 characters, by joining two runs of half the length; its high bits are good."""
    hashes: npt.NDArray[np.uint32] = codes * _FACTORS[0]
    span = 1
    for factor in _FACTORS[1:]:
        hashes = hashes[:-span] * factor + hashes[span:]
        span *= 2
    return hashes
