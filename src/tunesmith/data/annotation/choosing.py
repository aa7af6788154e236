"""Which items to ask about next: those a model is unsure of, those unlike all others, or both.

Probabilities are [items, labels], each row with the sum 1. Vectors are [items, features] with rows of length
1, dense or sparse; how alike two items are is the product of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Numbers: TypeAlias = NDArray[np.int64]

COVERED = 20
"""Before a model knows as many labels, items are asked about that stand for many others."""

FEW = 150
"""With fewer labels than these it is too early to tell which are rare."""

_POOL = 4


def margin(probabilities: Floats) -> Floats:
    """How near the second label is to the first, from 0 to 1 (Scheffer et al. 2001)."""
    if probabilities.shape[1] < 2:
        return np.zeros(len(probabilities), np.float32)
    two = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(1 - (two[:, 1] - two[:, 0]), np.float32)


def entropy(probabilities: Floats) -> Floats:
    """How evenly all labels are spread, from 0 to 1 (Shannon)."""
    spread = -(probabilities * np.log(np.maximum(probabilities, 1e-12))).sum(axis=1)
    return np.asarray(spread / np.log(max(2, probabilities.shape[1])), np.float32)


def disagreement(committee: Sequence[Floats]) -> Floats:
    """How far several models are from their mean: the mean divergence (McCallum and Nigam 1998)."""
    mean = np.mean(committee, axis=0)
    parts = [(p * np.log(np.maximum(p, 1e-12) / np.maximum(mean, 1e-12))).sum(axis=1) for p in committee]
    return np.asarray(np.mean(parts, axis=0), np.float32)


def rarity(probabilities: Floats, counts: Sequence[int]) -> Floats:
    """How rare the labels are, so far, that items probably have: 1 for one never seen, half for a usual one.

    Where labels are not equally frequent, those that were hardly seen are what a mean over labels lacks most
    (class-balanced choice, Bengar et al. 2022). The mean keeps a few labels from being told apart by chance.
    """
    seen = np.asarray(counts, np.float32)
    return np.asarray(probabilities @ (seen.mean() / (seen + seen.mean())), np.float32)


def spread(vectors: Any, taken: Numbers, count: int) -> Numbers:
    """The items farthest from those taken and from each other, greedily (k-centre; Sener and Savarese 2018).

    Raises:
        ValueError: there are no vectors.
    """
    nearest = np.full(vectors.shape[0], -np.inf, np.float32)
    for item in taken:
        nearest = np.maximum(nearest, _likeness(vectors, int(item)))
    nearest[taken] = np.inf
    found: list[int] = []
    while len(found) < min(count, vectors.shape[0] - len(taken)):
        item = int(nearest.argmin())
        found.append(item)
        nearest = np.maximum(nearest, _likeness(vectors, item))
        nearest[item] = np.inf
    return np.array(found, np.int64)


def cover(vectors: Any, taken: Numbers, count: int) -> Numbers:
    """The items that others are most like, beside those taken, greedily (facility location; Wei et al. 2015).

    What is typical teaches more than what is odd while nearly nothing is known (Hacohen et al. 2022). Memory
    holds how alike any two items are.
    """
    likeness = _dense(vectors @ vectors.T)
    nearest = likeness[taken].max(axis=0, initial=0.0)
    found: list[int] = []
    while len(found) < min(count, len(likeness) - len(taken)):
        gained = np.maximum(likeness - nearest, 0).sum(axis=1)
        gained[taken] = -1
        gained[found] = -1
        item = int(gained.argmax())
        found.append(item)
        nearest = np.maximum(nearest, likeness[item])
    return np.array(found, np.int64)


def mixed(unsure: Floats, vectors: Any, items: Numbers, count: int) -> Numbers:
    """Places in `items` of the least sure, without those that are like one of them already.

    They are chosen among four times as many; `vectors` are those of all items there are.
    """
    pool = np.argsort(-unsure, kind="stable")[: _POOL * count]
    first = np.array([0], np.int64)
    others = spread(vectors[items[pool]], first, count - 1)
    return np.asarray(pool[np.concatenate([first, others])][:count], np.int64)


UNSURE: Mapping[str, Callable[[Floats], Floats]] = {
    "margin": margin,
    "entropy": entropy,
    "mixed": margin,
}
"""How unsure one model is, by the name of the order."""

ORDERS = ("margin", "entropy", "diversity", "mixed", "disagreement")
"""The orders that follow what a model has learned."""


def interleaved(chosen: Sequence[int], drawn: Sequence[int], share: float) -> list[int]:
    """One queue of both, of which `share` are drawn ones as long as there are any."""
    queue: list[int] = []
    rest, others = list(reversed(drawn)), list(reversed(chosen))
    taken = 0
    while rest and others:
        if taken < share * (len(queue) + 1):
            queue.append(rest.pop())
            taken += 1
        else:
            queue.append(others.pop())
    return queue + others[::-1] + rest[::-1]


def _likeness(vectors: Any, item: int) -> Floats:
    return _dense(vectors @ vectors[item].T).ravel()


def _dense(product: Any) -> Floats:
    return np.asarray(product.toarray() if hasattr(product, "toarray") else product, np.float32)
