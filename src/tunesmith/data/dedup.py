"""The cleaner `dedup`: of rows that say the same, exactly or nearly, the one with most in it stays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
from annotated_types import Ge, Le
from numpy.typing import NDArray

from tunesmith.data.account import Rows
from tunesmith.data.cleaning import Verdict, Whole
from tunesmith.data.identity import agreed, allows_near, said
from tunesmith.data.similarity import Edges, SimilarRows, components

# More than any text has: a row with a label has more in it than one without.
_LABELLED = np.uint32(1 << 31)


class Dedup(Whole):
    """Keep one of rows that say the same but for case, width and spaces, or nearly the same.

    `near` is the least Jaccard index of their sets of five-character runs; null looks for exact repeats only.
    The longest row stays, of equally long ones the first. Rows that say exactly the same with different
    labels are all dropped: which label is right cannot be known. Near ones repeat each other only when their
    labels are equal.
    """

    def __init__(self, folder: Path, *, near: Annotated[float, Ge(0.5), Le(1)] | None = 0.8) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._near = near or 1.0
        self._similar: SimilarRows | None = None
        self._rows: list[NDArray[np.uint32]] = []
        self._weights: list[NDArray[np.uint32]] = []
        self._agreed: list[NDArray[np.uint64]] = []

    def see(self, frame: pl.DataFrame) -> None:
        """Take in the next rows."""
        if self._similar is None:
            threshold = self._near if allows_near(frame) else 1.0
            self._similar = SimilarRows(self._folder, threshold=threshold)
        texts = said(frame)
        self._similar.add(texts)
        self._rows.append(frame["_row"].to_numpy().astype(np.uint32))
        weights = texts.str.len_chars().to_numpy().astype(np.uint32)
        answers = agreed(frame)
        if answers is not None:
            known = answers.is_not_null().to_numpy()
            weights += known * _LABELLED
            self._agreed.append(np.where(known, answers.hash(seed=3).to_numpy() | 1, 0))
        self._weights.append(weights)

    def close(self) -> None:
        """Close the files."""
        if self._similar is not None:
            self._similar.close()

    def verdict(self) -> Verdict:
        """Which rows are gone, and what each of them repeats."""
        if self._similar is None:
            return Verdict()
        edges = self._similar.edges()
        rows, weights = np.concatenate(self._rows), np.concatenate(self._weights)
        answers = np.concatenate(self._agreed) if self._agreed else None
        clashing, of = _judge(edges, weights, answers)
        gone = np.flatnonzero((of != np.arange(len(of))) & ~clashing)
        dropped = {"conflicting_label": rows[clashing].astype(np.int64)} if clashing.any() else {}
        return Verdict(
            dropped=dropped, duplicates=(rows[gone].astype(np.int64), rows[of[gone]].astype(np.int64))
        )


def _judge(
    edges: Edges, weights: NDArray[np.uint32], answers: NDArray[np.uint64] | None
) -> tuple[NDArray[np.bool_], Rows]:
    """Rows whose copies have another answer; and for each row the one it repeats, itself where it stays.

    All by position. `answers` are hashes of what copies must agree on, 0 where it is missing.
    """
    equal = edges.similarity == 1
    of, clashing = np.arange(len(weights)), np.zeros(len(weights), np.bool_)
    rows, head = _grouped(edges.first[equal], edges.second[equal])
    if answers is not None:
        clashing[rows] = _clashing(head, answers[rows])
    of[rows] = rows[_best(head, weights[rows])[head]]
    near = ~equal & ~clashing[edges.first] & ~clashing[edges.second]
    first, second, similarity = of[edges.first[near]], of[edges.second[near]], edges.similarity[near]
    if answers is not None:
        same = answers[first] == answers[second]
        first, second, similarity = first[same], second[same], similarity[same]
    step = np.arange(len(weights))
    nodes, targets = _thinned(first, second, similarity, weights)
    step[nodes] = targets
    return clashing, step[of]


def _grouped(first: Rows, second: Rows) -> tuple[Rows, Rows]:
    """The rows that have copies, and for each the position among them of the first of its copies."""
    rows = np.unique(np.concatenate([first, second]))
    one, other = np.searchsorted(rows, first), np.searchsorted(rows, second)
    pairs = Edges(first=one, second=other, similarity=np.ones(len(one), np.float32))
    return rows, components(len(rows), pairs)


def _clashing(head: Rows, answers: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Rows whose copies have another answer."""
    known = answers != 0
    pairs = np.unique(np.stack([head[known].astype(np.uint64), answers[known]]), axis=1)
    several, counts = np.unique(pairs[0], return_counts=True)
    return np.isin(head, several[counts > 1].astype(np.int64))


def _best(head: Rows, weights: NDArray[np.uint32]) -> Rows:
    """At each head the position of the row of its group with most weight, the first of equals."""
    order = np.lexsort((np.arange(len(head)), -weights.astype(np.int64), head))
    heads, starts = np.unique(head[order], return_index=True)
    best = np.arange(len(head))
    best[heads] = order[starts]
    return best


def _thinned(
    first: Rows, second: Rows, similarity: NDArray[np.float32], weights: NDArray[np.uint32]
) -> tuple[Rows, Rows]:
    """The rows that go, and for each the most similar row that stays: by weight, unless one near stays.

    So nothing goes that is not itself near to something that stays, however long a chain of likenesses is.
    """
    one, other = np.concatenate([first, second]), np.concatenate([second, first])
    order = np.lexsort((other, -np.concatenate([similarity, similarity]), one))
    one, other = one[order], other[order]
    nodes, starts = np.unique(one, return_index=True)
    ends = np.append(starts[1:], len(one))
    kept: set[int] = set()
    gone: dict[int, int] = {}
    for i in np.lexsort((nodes, -weights[nodes].astype(np.int64))):
        near = (row for row in other[starts[i] : ends[i]].tolist() if row in kept)
        found = next(near, None)
        if found is None:
            kept.add(int(nodes[i]))
        else:
            gone[int(nodes[i])] = found
    return np.array(list(gone), np.int64), np.array(list(gone.values()), np.int64)
