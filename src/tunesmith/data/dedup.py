"""The cleaner `dedup`: of rows that say the same, exactly or nearly, the one with most in it stays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
from annotated_types import Ge, Le
from numpy.typing import NDArray

from tunesmith.data.account import Rows
from tunesmith.data.cleaning import Verdict, Whole
from tunesmith.data.identity import agreed, allows_near, said
from tunesmith.data.similarity import Edges, SimilarRows, components

# More than any text has: a row with a label has more in it than one without.
_LABELLED = 1 << 31


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
        self._columns: dict[str, list[NDArray[Any]]] = {"row": [], "weight": [], "agreed": []}

    def see(self, frame: pl.DataFrame) -> None:
        """Take in the next rows."""
        if self._similar is None:
            threshold = self._near if allows_near(frame) else 1.0
            self._similar = SimilarRows(self._folder, threshold=threshold)
        texts = said(frame)
        self._similar.add(texts)
        answers = agreed(frame)
        if answers is None:
            answers = pl.Series([""]).new_from_index(0, len(frame))
        known = answers.is_not_null().to_numpy()
        weight = texts.str.len_chars().to_numpy().astype(np.int64) + known * _LABELLED
        self._columns["row"].append(frame["_row"].to_numpy())
        self._columns["weight"].append(weight)
        self._columns["agreed"].append(np.where(known, answers.hash(seed=3).to_numpy() | 1, 0))

    def close(self) -> None:
        """Close the files."""
        if self._similar is not None:
            self._similar.close()

    def verdict(self) -> Verdict:
        """Which rows are gone, and what each of them repeats."""
        if self._similar is None:
            return Verdict()
        edges = self._similar.edges()
        rows, weight, answers = (np.concatenate(parts) for parts in self._columns.values())
        return _judge(edges, rows, weight, answers)


def _judge(edges: Edges, rows: Rows, weight: Rows, answers: NDArray[np.uint64]) -> Verdict:
    equal = edges.similarity == 1
    same = Edges(first=edges.first[equal], second=edges.second[equal], similarity=edges.similarity[equal])
    head = components(len(rows), same)
    clashing = _clashing(head, answers)
    best = _best(head, weight)
    kept = best[head]  # what each row is a copy of: itself, or the fullest of its copies
    near = _between(edges, kept, ~equal & ~clashing[edges.first] & ~clashing[edges.second])
    agree = answers[near.first] == answers[near.second]
    of = _thinned(near.first[agree], near.second[agree], near.similarity[agree], weight, len(rows))
    final = of[kept]
    gone = (final != np.arange(len(rows))) & ~clashing
    dropped = {"conflicting_label": rows[clashing]} if clashing.any() else {}
    return Verdict(dropped=dropped, duplicates=(rows[gone], rows[final[gone]]))


def _clashing(head: Rows, answers: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Rows whose copies have another answer."""
    known = answers != 0
    pairs = np.unique(np.stack([head[known].astype(np.uint64), answers[known]]), axis=1)
    several, counts = np.unique(pairs[0], return_counts=True)
    return np.isin(head, several[counts > 1].astype(np.int64))


def _best(head: Rows, weight: Rows) -> Rows:
    """For each head the row of its component with most weight, the first of equals."""
    order = np.lexsort((np.arange(len(head)), -weight, head))
    first = np.append(True, head[order][1:] != head[order][:-1]) if len(order) else np.zeros(0, bool)
    best = np.arange(len(head))
    best[head[order][first]] = order[first]
    return best


def _between(edges: Edges, kept: Rows, chosen: NDArray[np.bool_]) -> Edges:
    return Edges(
        first=kept[edges.first[chosen]],
        second=kept[edges.second[chosen]],
        similarity=edges.similarity[chosen],
    )


def _thinned(first: Rows, second: Rows, similarity: NDArray[np.float32], weight: Rows, count: int) -> Rows:
    """For each row itself, or the most similar kept row: rows are kept by weight unless one near is kept.

    So nothing goes that is not itself near to something that stays, however long a chain of likenesses is.
    """
    of = np.arange(count)
    one, other = np.concatenate([first, second]), np.concatenate([second, first])
    likeness = np.concatenate([similarity, similarity])
    order = np.lexsort((other, -likeness, one))
    one, other = one[order], other[order]
    nodes, starts = np.unique(one, return_index=True)
    ends = np.append(starts[1:], len(one))
    kept: set[int] = set()
    for i in np.lexsort((nodes, -weight[nodes])):
        near = (row for row in other[starts[i] : ends[i]].tolist() if row in kept)
        found = next(near, None)
        if found is None:
            kept.add(int(nodes[i]))
        else:
            of[nodes[i]] = found
    return of
