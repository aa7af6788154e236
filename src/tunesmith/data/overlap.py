"""Rows of different parts that say the same, exactly or nearly: what makes a test score mean nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tunesmith.core.errors import Problem
from tunesmith.data.account import Account, Rows
from tunesmith.data.identity import asked
from tunesmith.data.similarity import Edges, SimilarRows, components

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """The ledger numbers of rows, and the pairs of them that ask the same, by position in `rows`."""

    rows: Rows
    edges: Edges

    def by_row(self) -> Edges:
        """The pairs by ledger number."""
        edges = self.edges
        return Edges(
            first=self.rows[edges.first], second=self.rows[edges.second], similarity=edges.similarity
        )

    def clusters(self, chosen: NDArray[np.bool_]) -> Rows:
        """For each row the first of those it is alike with, directly or not, among the chosen rows."""
        inside = chosen[self.edges.first] & chosen[self.edges.second]
        return components(len(self.rows), _some(self.edges, inside))

    def across(self, train: NDArray[np.bool_], held_out: NDArray[np.bool_]) -> Pairs:
        """The pairs of a row to train on and one of a held-out part."""
        edges = self.edges
        forth = train[edges.first] & held_out[edges.second]
        back = train[edges.second] & held_out[edges.first]
        ahead, behind = _some(edges, forth), _some(edges, back)
        return Pairs(
            train=self.rows[np.concatenate([ahead.first, behind.second])],
            held_out=self.rows[np.concatenate([ahead.second, behind.first])],
            similarity=np.concatenate([ahead.similarity, behind.similarity]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Ledger numbers of rows to train on beside those of held-out rows that they repeat."""

    train: Rows
    held_out: Rows
    similarity: NDArray[np.float32]

    def problem(self, code: str, split: str, account: Account) -> Problem:
        """The pairs as a problem: how many rows, and the first few by file and line."""
        order = np.lexsort((self.train, self.held_out, -self.similarity))[:_SHOWN]
        shown = [_pair(account, int(self.train[i]), int(self.held_out[i]), self.similarity[i]) for i in order]
        file, line = account.place(int(self.train[order[0]]))
        values = {
            "split": split,
            "count": len(np.unique(self.held_out)),
            "exact": len(np.unique(self.held_out[self.similarity == 1])),
            "pairs": "; ".join(shown) + ("; ..." if len(self.train) > _SHOWN else ""),
        }
        return Problem(code=code, file=file, line=line, field="data.split.overlap", values=values)


def alike(
    frames: Iterable[pl.DataFrame],
    folder: Path,
    *,
    least: float | None,
    by: Callable[[pl.DataFrame], pl.Series] = asked,
) -> Alike:
    """The rows of batches that ask the same, or are `least` similar; null looks for equal ones only.

    `by` gives what is compared of each row.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = [np.zeros(0, np.int64)]
    with closing(SimilarRows(folder, threshold=least or 1.0)) as similar:
        for frame in frames:
            similar.add(by(frame))
            rows.append(frame["_row"].to_numpy())
        return Alike(rows=np.concatenate(rows), edges=similar.edges())


def between_parts(
    found: Alike, places: NDArray[np.str_], splits: Iterable[str]
) -> Iterator[tuple[str, Pairs]]:
    """For each held-out split that repeats rows to train on: its name and the pairs."""
    train = places == "train"
    for split in splits:
        pairs = found.across(train, places == split)
        if len(pairs.train):
            yield split, pairs


def _some(edges: Edges, chosen: NDArray[np.bool_]) -> Edges:
    return Edges(first=edges.first[chosen], second=edges.second[chosen], similarity=edges.similarity[chosen])


def _pair(account: Account, train: int, held_out: int, similarity: float) -> str:
    one, other = (f"{file}:{line}" for file, line in (account.place(train), account.place(held_out)))
    return f"{one} = {other}" if similarity == 1 else f"{one} ≈ {other} ({similarity:.2f})"
