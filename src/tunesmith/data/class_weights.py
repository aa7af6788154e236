"""Weights that let rare labels count as much as frequent ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def class_weights(labels: Sequence[str]) -> dict[str, float]:
    """The weight of a row of each label: the inverse of its frequency, 1 on average over the rows.

    After King and Zeng 2001, "Logistic Regression in Rare Events Data".
    """
    counts = Counter(labels)
    return {label: len(labels) / (len(counts) * count) for label, count in sorted(counts.items())}
