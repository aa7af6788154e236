"""Entities as tags of units, and back: B begins one, I goes on in it, O is outside of all.

With n labels there are 1 + 2n tags: O is 0, B of label i is 1 + 2i and I of it is 2 + 2i.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Place = tuple[int, int]
Entity = tuple[int, int, str]
"""Where it begins and ends, and its label."""


def count(labels: Sequence[str]) -> int:
    """How many tags there are."""
    return 1 + 2 * len(labels)


def encode(entities: Sequence[Entity], units: Sequence[Place], labels: Sequence[str]) -> NDArray[np.int16]:
    """The tag of each unit [units], which belongs to an entity that it has a character of.

    Of entities that share a unit the first is told, of those that begin together the longest.
    """
    tags = np.zeros(len(units), dtype=np.int16)
    starts, ends = (np.array([place[side] for place in units], dtype=np.int64) for side in (0, 1))
    for start, end, label in sorted(entities, key=lambda one: (one[0], -one[1])):
        first = int(np.searchsorted(ends, start, side="right"))
        last = int(np.searchsorted(starts, end, side="left"))
        if label in labels and first < last and not tags[first:last].any():
            begin = 1 + 2 * labels.index(label)
            tags[first:last] = begin + 1
            tags[first] = begin
    return tags


def best(scores: NDArray[np.floating]) -> NDArray[np.int64]:
    """The most probable tags [units] in which no entity goes on that did not begin (Viterbi 1967).

    scores: log-probabilities [units, tags], taken to be independent.
    """
    steps, tags = scores.shape
    came = np.zeros((steps, tags), dtype=np.int64)
    total = scores[0].copy() if steps else np.empty(0)
    total[2::2] = -np.inf
    inside = np.arange(2, tags, 2)
    for step in range(1, steps):
        came[step] = int(total.argmax())
        goes_on = total[inside] >= total[inside - 1]
        came[step, inside] = np.where(goes_on, inside, inside - 1)
        total = total[came[step]] + scores[step]
    path = np.zeros(steps, dtype=np.int64)
    for step in range(steps - 1, -1, -1):
        path[step] = total.argmax() if step == steps - 1 else came[step + 1, path[step + 1]]
    return path


def runs(tags: Sequence[int] | NDArray[np.integer]) -> Iterator[tuple[int, int, int]]:
    """The entities that valid tags tell of: first unit, the one after the last, number of the label."""
    first, label = 0, -1
    for at, tag in enumerate([*(int(tag) for tag in tags), 0]):
        if label >= 0 and (tag == 0 or tag % 2 == 1):
            yield first, at, label
            label = -1
        if tag % 2 == 1:
            first, label = at, tag // 2
