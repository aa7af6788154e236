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
_FACTORS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93)


def drop_repetitive(frame: pl.DataFrame, *, lines: Share = 0.3, passages: Share = 0.3) -> Cleaned:
    """Rows with too large a share of repeated lines, or of passages of 16 characters that occurred before.

    `lines` is the largest share of a text's characters in lines that stood there before, `passages` that
    of its passages. Texts of fewer than 100 characters stay.
    """
    texts = text_of(frame).fill_null("")
    long = texts.str.len_chars() >= _SHORTEST
    several = (texts.str.count_matches("\n") >= _FEWEST_LINES - 1) & long
    gone = np.zeros(len(texts), dtype=bool)
    for at in several.arg_true().to_list():
        gone[at] = repeated_lines(texts[at]) > lines
    rest = (long & pl.Series(~gone)).arg_true()
    suspects = rest.filter(pl.Series(_most_repeated(texts.gather(rest).to_list()) > passages))
    for at in suspects.to_list():
        gone[at] = repeated_passages(texts[at]) > passages
    return drop_where(frame, pl.Series(gone), "repetitive")


def repeated_lines(text: str) -> float:
    """The share of a text's characters in lines that occurred before in it; blank lines do not count."""
    lines = [stripped for line in text.split("\n") if (stripped := line.strip())]
    total = sum(map(len, lines))
    return 1 - sum(map(len, set(lines))) / total if total else 0.0


def repeated_passages(text: str) -> float:
    """The share of a text's passages of 16 characters that occurred before in it."""
    count = len(text) - _PASSAGE + 1
    return 1 - len({text[at : at + _PASSAGE] for at in range(count)}) / count if count > 0 else 0.0


def _most_repeated(texts: list[str]) -> npt.NDArray[np.float64]:
    """An upper bound on `repeated_passages` for texts of at least 16 characters.

    The passages of all texts are thrown into one table, and those that still own their place are counted.
    Two that meet by chance look like a repetition, never the other way round.
    """
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    if not len(texts):
        return np.zeros(0)
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    hashes = _hashes(codes)
    owner = np.repeat(np.arange(len(texts), dtype=np.uint64), lengths)[: len(hashes)]
    hashes += owner * np.uint64(_FACTORS[3])
    size = max(10, int(len(hashes) * 4).bit_length())
    places = hashes >> np.uint64(64 - size)
    table = np.zeros(1 << size, np.uint32)
    order = np.arange(len(hashes), dtype=np.uint32)
    table[places] = order
    owns = table[places] == order
    ends = np.cumsum(lengths)
    starts = ends - lengths
    counts = lengths - _PASSAGE + 1
    # Passages that run into the next text are not this one's: the sums end where its last one begins.
    sums = np.concatenate(([0], np.cumsum(owns)))
    distinct: npt.NDArray[np.float64] = (sums[starts + counts] - sums[starts]) / counts
    return 1 - distinct


def _hashes(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64]:
    """A hash of each run of 16 characters, by joining two runs of half the length."""
    hashes = codes.astype(np.uint64) * np.uint64(_FACTORS[0])
    span = 1
    for factor in (_FACTORS[1], _FACTORS[2], _FACTORS[3], _FACTORS[1]):
        hashes = hashes[:-span] * np.uint64(factor) + hashes[span:]
        hashes ^= hashes >> np.uint64(29)
        span *= 2
    return hashes
