"""What similar rows mean: repetitions within a part, rows of one part in another, labels that contradict.

Pairs are handed in (`data.similarity.Edges` in row numbers); this knows which split and label a row has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.data.similarity import Edges, components

_SHOWN = 8
_MEMBERS = 3


class Parts:
    """Split and label of every row, as small numbers: five bytes a row and eight for its own."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._labels: dict[str | None, int] = {None: -1}
        self._rows: list[NDArray[np.int64]] = []
        self._splits: list[NDArray[np.int8]] = []
        self._codes: list[NDArray[np.int32]] = []

    def add(self, rows: NDArray[np.int64], split: str, labels: list[str | None]) -> None:
        """Take a batch, all of one split; `labels` is empty where there are none."""
        if split not in self.names:
            self.names.append(split)
        self._rows.append(rows)
        self._splits.append(np.full(len(rows), self.names.index(split), np.int8))
        codes = [self._labels.setdefault(label, len(self._labels) - 1) for label in labels]
        self._codes.append(np.array(codes or [-1] * len(rows), np.int32))

    def rows(self) -> NDArray[np.int64]:
        """The rows' numbers, in the order in which they came."""
        return np.concatenate([np.empty(0, np.int64), *self._rows])

    def splits(self) -> NDArray[np.int8]:
        """The split of each, as its place in `names`."""
        return np.concatenate([np.empty(0, np.int8), *self._splits])

    def by_row(self) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
        """Split and label code by row number; -1 where there is none."""
        rows = self.rows()
        size = int(rows.max()) + 1 if len(rows) else 0
        splits, codes = np.full(size, -1, np.int8), np.full(size, -1, np.int32)
        splits[rows] = self.splits()
        codes[rows] = np.concatenate([np.empty(0, np.int32), *self._codes])
        return splits, codes


def known(edges: Edges, splits: NDArray[np.int8]) -> Edges:
    """The pairs both of whose rows were seen."""
    there = _only(edges, edges.second < len(splits))
    return _only(there, (splits[there.first] >= 0) & (splits[there.second] >= 0))


def _only(edges: Edges, chosen: NDArray[np.bool_]) -> Edges:
    return Edges(first=edges.first[chosen], second=edges.second[chosen], similarity=edges.similarity[chosen])


def within(
    edges: Edges, splits: NDArray[np.int8], codes: NDArray[np.int32], threshold: float
) -> dict[str, Any]:
    """Rows that repeat another of the same split and label: how many, in which clusters, and some pairs."""
    agree = codes[edges.first] == codes[edges.second]
    same = _only(edges, agree & (splits[edges.first] == splits[edges.second]))
    exact = _only(same, same.similarity >= 1)
    heads, size = components(len(splits), same), len(splits)
    repeats = int((heads != np.arange(size)).sum())
    exact_repeats = int((components(size, exact) != np.arange(size)).sum())
    return {
        "threshold": threshold,
        "rows": repeats,
        "share": repeats / max(1, int((splits >= 0).sum())),
        "exact": exact_repeats,
        "near": repeats - exact_repeats,
        **_clusters(heads),
        "pairs": _pairs(_only(same, same.similarity < 1)),
    }


def _clusters(heads: NDArray[np.int64]) -> dict[str, Any]:
    sizes = np.bincount(heads, minlength=1)
    found = np.flatnonzero(sizes > 1)
    largest = found[np.lexsort((found, -sizes[found]))][:_SHOWN]
    return {
        "clusters": len(found),
        "largest": [
            {
                "size": int(sizes[head]),
                "members": [{"row": int(row)} for row in np.flatnonzero(heads == head)[:_MEMBERS]],
            }
            for head in largest
        ],
    }


def _pairs(edges: Edges, limit: int = _SHOWN) -> list[dict[str, Any]]:
    """Pairs of different rows, spread over all similarities so that not only the trivial ones are seen."""
    order = np.lexsort((edges.second, edges.first, -edges.similarity))
    if len(order) > limit:
        order = order[np.linspace(0, len(order) - 1, limit).round().astype(np.int64)]
    return [
        {
            "first": {"row": int(edges.first[i])},
            "second": {"row": int(edges.second[i])},
            "similarity": round(float(edges.similarity[i]), 3),
        }
        for i in order
    ]


def across(edges: Edges, splits: NDArray[np.int8], names: list[str]) -> dict[str, Any] | None:
    """Rows of each other part that `train` has too, exactly or nearly; None where there is one part only."""
    if len(names) < 2 or "train" not in names:
        return None
    train = names.index("train")
    one, other = splits[edges.first] == train, splits[edges.second] == train
    crossing = _only(edges, one != other)
    held = np.where(splits[crossing.first] == train, crossing.second, crossing.first)
    trained = np.where(splits[crossing.first] == train, crossing.first, crossing.second)
    is_exact = crossing.similarity >= 1
    counts = {}
    for code, name in enumerate(names):
        here = splits[held] == code
        exact = np.unique(held[here & is_exact])
        counts[name] = {"exact": len(exact), "near": len(np.setdiff1d(held[here], exact))}
    del counts["train"]
    ordered = Edges(first=trained, second=held, similarity=crossing.similarity)
    return {
        "rows": len(np.unique(held)),
        "train_rows": len(np.unique(trained)),
        "splits": counts,
        "pairs": _pairs(ordered),
    }


def contradictions(edges: Edges, codes: NDArray[np.int32]) -> dict[str, Any]:
    """Rows that say exactly the same under different labels."""
    one, other = codes[edges.first], codes[edges.second]
    clash = _only(edges, (edges.similarity >= 1) & (one >= 0) & (other >= 0) & (one != other))
    return {"rows": len(np.unique([clash.first, clash.second])), "pairs": _pairs(clash, 5)}
