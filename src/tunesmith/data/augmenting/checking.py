"""Which new rows are not kept: what repeats a row, what is held out, what may have lost its label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tunesmith.data.identity import asked
from tunesmith.data.similarity import SimilarRows
from tunesmith.data.texts import text_of

REPEATED, HELD_OUT, DISAGREED = "repeated", "like_held_out", "disagreed"
"""Why a new row is not kept."""

Labels = Callable[[Sequence[str]], Sequence[str]]
Fit = Callable[[Sequence[str], Sequence[str]], Labels]
"""From texts and their labels to a classifier of texts."""


class Repeats:
    """What was there before, letter by letter: another case or width is another text to learn from."""

    def __init__(self, frames: Iterable[pl.DataFrame]) -> None:
        self._seen = {text for frame in frames for text in _keys(frame)}

    def among(self, frame: pl.DataFrame) -> NDArray[np.bool_]:
        """Which rows say what was there before, among them those before in the frame."""
        found = np.zeros(frame.height, np.bool_)
        for at, text in enumerate(_keys(frame)):
            found[at] = text in self._seen
            self._seen.add(text)
        return found


def _keys(frame: pl.DataFrame) -> Iterator[int]:
    yield from text_of(frame).hash().to_list()


def like_held_out(
    new: pl.Series, held_out: Iterable[pl.DataFrame], folder: Path, least: float | None
) -> NDArray[np.bool_]:
    """Which of the new rows say what a held-out row says, exactly or with at least that similarity."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(SimilarRows(folder, threshold=least or 1.0)) as similar:
        count = 0
        for frame in held_out:
            similar.add(asked(frame))
            count += frame.height
        similar.add(new)
        edges = similar.edges()
    across = (edges.first < count) & (edges.second >= count)
    found = np.zeros(len(new), np.bool_)
    found[edges.second[across] - count] = True
    return found


def disagreeing(frame: pl.DataFrame, labels: Labels) -> NDArray[np.bool_]:
    """Which rows a classifier gives another label than they have."""
    said = pl.Series(labels(frame["text"].to_list()), dtype=pl.String)
    return (said != frame["label"]).to_numpy()
