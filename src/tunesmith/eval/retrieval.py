"""How well a text finds the one that belongs to it among all of a part.

Each text asked about has one right answer; others that are right too are left out of its ranking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.core.errors import DataError
from tunesmith.eval.outcome import Outcome, RetrievalOutcome
from tunesmith.eval.sums import Sums, hits, mean, summed

Similarity = Callable[[slice], NDArray[np.floating[Any]]]
"""Of some of the texts asked about, their similarity to all documents: [texts, documents]."""

_ROWS_AT_ONCE = 256
_DEPTH = 10


def unranked(sources: Sequence[str], targets: Sequence[str], rows: Sequence[int]) -> RetrievalOutcome:
    """What is to be found by each source, its documents in the order in which they first stand there."""
    place = {document: i for i, document in enumerate(dict.fromkeys(targets))}
    right = np.array([place[target] for target in targets], dtype=np.int64)
    none = np.zeros(len(right), dtype=np.int64)
    return RetrievalOutcome(sources=sources, documents=list(place), right=right, ranks=none, rows=rows)


def ranks(outcome: RetrievalOutcome, similarity: Similarity) -> NDArray[np.int64]:
    """The place [rows], from 1, of each right answer; of equally similar documents it comes last."""
    also: dict[str, list[int]] = {}
    for source, right in zip(outcome.sources, outcome.right.tolist(), strict=True):
        also.setdefault(source, []).append(right)
    result = np.zeros(len(outcome.right), dtype=np.int64)
    for start in range(0, len(result), _ROWS_AT_ONCE):
        part = slice(start, min(start + _ROWS_AT_ONCE, len(result)))
        close = np.array(similarity(part), dtype=np.float32)
        own = close[np.arange(len(close)), outcome.right[part]]
        for i, source in enumerate(outcome.sources[part]):
            close[i, also[source]] = -np.inf
        # What cannot be compared, for it is no number, does not come later.
        result[part] = np.minimum(1 + (~(close < own[:, None])).sum(axis=1), close.shape[1])
    return result


@summed
def recall_at_1(outcome: Outcome) -> Sums:
    """Share of texts whose right answer is found first, from 0 to 1.

    Raises:
        DataError: M84 when the outcome has no ranks; E03 when it has no rows.
    """
    return hits(_ranks(outcome, "recall_at_1") <= 1)


@summed
def recall_at_10(outcome: Outcome) -> Sums:
    """Share of texts whose right answer is among the first ten, from 0 to 1.

    Raises:
        DataError: M84 when the outcome has no ranks; E03 when it has no rows.
    """
    return hits(_ranks(outcome, "recall_at_10") <= _DEPTH)


@summed
def mrr_at_10(outcome: Outcome) -> Sums:
    """Mean of one over the rank of the right answer, 0 beyond the tenth, from 0 to 1 (Craswell 2009).

    Raises:
        DataError: M84 when the outcome has no ranks; E03 when it has no rows.
    """
    found = _ranks(outcome, "mrr_at_10")
    return mean(np.where(found <= _DEPTH, 1 / found, 0))


@summed
def ndcg_at_10(outcome: Outcome) -> Sums:
    """Normalised discounted cumulative gain of the first ten, from 0 to 1 (Jarvelin and Kekalainen 2002).

    Raises:
        DataError: M84 when the outcome has no ranks; E03 when it has no rows.
    """
    found = _ranks(outcome, "ndcg_at_10")
    return mean(np.where(found <= _DEPTH, 1 / np.log2(1 + found), 0))


def _ranks(outcome: Outcome, metric: str) -> NDArray[np.int64]:
    if not isinstance(outcome, RetrievalOutcome):
        raise DataError("M84", metric=metric)
    if not len(outcome.ranks):
        raise DataError("E03", metric=metric)
    return outcome.ranks
