"""What belongs to two or three texts of a row: ratios of length, and texts that are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tunesmith.data.profile.lengths import quantiles
from tunesmith.data.profile.sample import Distinct
from tunesmith.data.profile.texts import fields

_FAR = 3.0
_SHOWN = 5


class Pairs:
    """Sources and targets: how much longer one is than the other, and what was left as it is."""

    def __init__(self) -> None:
        self._ratios: list[NDArray[np.float32]] = []
        self._rows: list[NDArray[np.int64]] = []
        self._same: list[int] = []
        self._same_count = 0

    def add(self, frame: pl.DataFrame, split: str) -> None:
        """Take a batch of pairs; the split does not matter."""
        del split
        source, target = (pl.col(name).str.strip_chars() for name in ("source", "target"))
        ratio = target.str.len_chars() / pl.max_horizontal(source.str.len_chars(), 1)
        self._ratios.append(frame.select(ratio.cast(pl.Float32)).to_series().to_numpy())
        self._rows.append(frame["_row"].to_numpy())
        same = frame.filter(source == target)["_row"].to_list()
        self._same_count += len(same)
        self._same = (self._same + same)[:_SHOWN]

    def result(self) -> dict[str, Any]:
        """Quantiles of target length over source length; rows more than three times off the median."""
        ratios = np.concatenate([np.empty(0, np.float32), *self._ratios])
        rows = np.concatenate([np.empty(0, np.int64), *self._rows])
        if not len(ratios):
            return {"ratio": {}, "odd": 0, "odd_rows": [], "same": 0, "same_rows": []}
        middle = float(np.median(ratios)) or 1.0
        far = np.abs(np.log(np.maximum(ratios, 1e-3) / middle))
        odd = far > np.log(_FAR)
        worst = np.lexsort((rows, -far))[: min(_SHOWN, int(odd.sum()))]
        return {
            "ratio": {q: round(value, 3) for q, value in quantiles(ratios).items()},
            "odd": int(odd.sum()),
            "odd_rows": [
                {"row": int(row), "ratio": round(float(ratio), 3)}
                for row, ratio in zip(rows[worst], ratios[worst], strict=True)
            ],
            "same": self._same_count,
            "same_rows": [{"row": row} for row in self._same],
        }


class Preferences:
    """Chosen and rejected answers: whether length alone tells them apart."""

    def __init__(self) -> None:
        self._rows = 0
        self._longer = 0
        self._same = 0
        self._same_rows: list[int] = []

    def add(self, frame: pl.DataFrame, split: str) -> None:
        """Take a batch of preferences; the split does not matter."""
        del split
        texts = fields(frame)
        chosen, rejected = texts["chosen"].str.strip_chars(), texts["rejected"].str.strip_chars()
        self._rows += frame.height
        self._longer += int((chosen.str.len_chars() > rejected.str.len_chars()).sum())
        same = frame["_row"].filter(chosen == rejected).to_list()
        self._same += len(same)
        self._same_rows = (self._same_rows + same)[:_SHOWN]

    def result(self) -> dict[str, Any]:
        """The share of rows whose chosen answer is the longer one, and rows whose answers are the same."""
        return {
            "chosen_longer_share": self._longer / max(1, self._rows),
            "same": self._same,
            "same_rows": [{"row": row} for row in self._same_rows],
        }


class Answers:
    """Questions with answers from a context."""

    def __init__(self) -> None:
        self._rows = 0
        self._unanswerable = 0
        self._several = 0
        self._contexts = Distinct()

    def add(self, frame: pl.DataFrame, split: str) -> None:
        """Take a batch of questions; the split does not matter."""
        del split
        self._rows += frame.height
        sizes = frame["answers"].list.len().fill_null(0)
        self._unanswerable += int((sizes == 0).sum())
        self._several += int((sizes > 1).sum())
        self._contexts.add(frame["context"])

    def result(self) -> dict[str, Any]:
        """Shares of questions without an answer and with several, and how many contexts there are."""
        return {
            "unanswerable": self._unanswerable,
            "unanswerable_share": self._unanswerable / max(1, self._rows),
            "several_share": self._several / max(1, self._rows),
            "contexts": self._contexts.count(),
        }
