"""What is wrong with texts themselves: what cleaners would change in all rows, and what is odd in a sample.

A language or a rare character is judged against the other rows of the sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tunesmith.core import components
from tunesmith.data.clean import Cleaned
from tunesmith.data.profile.texts import masked, seen
from tunesmith.data.texts import text_of

_SHOWN = 5
_BEFORE, _EXCERPT = 80, 600
# Signs that stand for what could not be decoded, and characters of no common meaning.
_DAMAGED = r"[\x{fffd}\x{e000}-\x{f8ff}]"
CLEANERS = ("normalise", "fix_mojibake", "strip_html", "mask_pii", "drop_repetitive")
"""Cleaners whose effect is measured, each by itself and with its own settings."""

_RARE = 0.001
_RARE_SHARE = 0.25
# In fewer rows, most Chinese characters occur once.
_ENOUGH = 1_000
_MINORITY = 0.05
_UNKNOWN = "und"


class Effects:
    """What cleaners that hardly anybody minds would do to all rows."""

    def __init__(self) -> None:
        self._effects = {name: _Effect(name) for name in CLEANERS}

    def add(self, frame: pl.DataFrame) -> None:
        """Take a batch."""
        before = frame.select("_row", before=text_of(frame))
        for effect in self._effects.values():
            effect.add(frame, before)

    def result(self) -> dict[str, Any]:
        """For each cleaner, how many rows it would change and drop, what it counts, and the first rows."""
        return {name: effect.result() for name, effect in self._effects.items()}


class _Effect:
    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = 0
        self._dropped = 0
        self._counts: Counter[str] = Counter()
        self._examples: list[dict[str, Any]] = []

    def add(self, frame: pl.DataFrame, before: pl.DataFrame) -> None:
        result = components.cleaners.get(self._name)(frame)
        cleaned = result if isinstance(result, Cleaned) else Cleaned(frame=result)
        left = cleaned.frame.select("_row", after=text_of(cleaned.frame))
        both = before.join(left, on="_row", how="left", maintain_order="left")
        gone, changed = pl.col("after").is_null(), pl.col("before") != pl.col("after")
        touched = both.filter(pl.col("before").is_not_null() & (gone | changed))
        dropped = touched["after"].null_count()
        self._dropped += dropped
        self._changed += touched.height - dropped
        self._counts.update(cleaned.counts)
        for row, was, now in touched.head(_SHOWN - len(self._examples)).iter_rows():
            self._examples.append({"row": row, **({} if now is None else _around(was, now))})

    def result(self) -> dict[str, Any]:
        counts = dict(sorted(self._counts.items(), key=lambda item: (-item[1], item[0])))
        return {
            "changed": self._changed,
            "dropped": self._dropped,
            "counts": counts,
            "examples": self._examples,
        }


def _around(was: str, now: str) -> dict[str, str]:
    """Both texts, masked, from a little before the place where they begin to differ."""
    was, now = masked([was, now])
    pairs = enumerate(zip(was, now, strict=False))
    differs = next((i for i, (one, other) in pairs if one != other), min(len(was), len(now)))
    start = max(0, differs - _BEFORE) if was != now else 0
    lead = "… " if start else ""
    return {"before": lead + was[start : start + _EXCERPT], "after": lead + now[start : start + _EXCERPT]}


class Damage:
    """Rows with characters that show that something went wrong before."""

    def __init__(self) -> None:
        self._rows = 0
        self._first: list[int] = []

    def add(self, frame: pl.DataFrame) -> None:
        """Take a batch."""
        rows = frame["_row"].filter(text_of(frame).str.contains(_DAMAGED).fill_null(False)).to_list()
        self._rows += len(rows)
        self._first = (self._first + rows)[:_SHOWN]

    def result(self) -> dict[str, Any]:
        """How many rows, and the first of them."""
        return {"rows": self._rows, "examples": [{"row": row} for row in self._first]}


def languages(sample: pl.DataFrame) -> dict[str, Any]:
    """Rows of the sample by language, most frequent first; rows in a language few others are in."""
    from tunesmith.language.identify import identify

    found = pl.Series("language", identify(seen(sample)), dtype=pl.String)
    ranked = sorted(Counter(found.to_list()).items(), key=lambda item: (-item[1], item[0]))
    main = [code for code, rows in ranked if rows >= _MINORITY * sample.height and code != _UNKNOWN]
    odd = pl.DataFrame({"row": sample["_row"], "language": found}).filter(~found.is_in([*main, _UNKNOWN]))
    return {
        "counts": dict(ranked),
        "main": main,
        "odd": odd.height,
        "odd_rows": odd.head(_SHOWN).to_dicts(),
    }


def rare_characters(sample: pl.DataFrame) -> dict[str, Any]:
    """Rows of the sample a quarter of whose characters hardly any other row has; needs a thousand rows."""
    if sample.height < _ENOUGH:
        return {"rows": 0, "examples": []}
    texts = seen(sample).fill_null("").to_list()
    sets = [set(text) for text in texts]
    known = Counter(character for own in sets for character in own)
    least = _RARE * len(texts)
    shares = [
        sum(known[character] < least for character in text) / len(text) if text else 0.0 for text in texts
    ]
    found = [(share, row) for share, row in zip(shares, sample["_row"], strict=True) if share >= _RARE_SHARE]
    worst = sorted(found, key=lambda item: (-item[0], item[1]))[:_SHOWN]
    return {"rows": len(found), "examples": [{"row": row, "share": round(share, 3)} for share, row in worst]}


def odd_lengths(rows: NDArray[np.int64], lengths: NDArray[np.int32]) -> Mapping[str, Any]:
    """Rows far from the usual length: on a logarithmic scale, beyond four robust deviations of the median.

    (Median absolute deviation, scaled to a normal distribution's: Iglewicz and Hoaglin 1993.)
    """
    if not len(rows):
        return {side: {"rows": 0, "examples": []} for side in ("long", "short")}
    scale = np.log(np.maximum(lengths, 1).astype(np.float64))
    middle = float(np.median(scale))
    # At least a factor of 1.5 in 4 deviations: where all rows are alike, a little more is not odd.
    deviation = max(1.4826 * float(np.median(np.abs(scale - middle))), 0.1)
    far = (scale - middle) / deviation
    return {
        "long": _ends(rows, lengths, far > 4, lengths.astype(np.int64)),
        "short": _ends(rows, lengths, far < -4, -lengths.astype(np.int64)),
    }


def _ends(
    rows: NDArray[np.int64], lengths: NDArray[np.int32], odd: NDArray[np.bool_], order: NDArray[np.int64]
) -> dict[str, Any]:
    chosen = np.flatnonzero(odd)
    worst = chosen[np.lexsort((rows[chosen], -order[chosen]))][:_SHOWN]
    examples = [{"row": int(rows[i]), "characters": int(lengths[i])} for i in worst]
    return {"rows": len(chosen), "examples": examples}
