"""How far two raters agree beyond chance: Cohen's kappa (1960), with quadratic weights for scores (1968)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunesmith.eval.sums import Numbers, Sums, divided

CHOICES = ("a", "b", "tie")


def kappa(one: Sequence[object], other: Sequence[object], kinds: Sequence[object], *, ordered: bool) -> Sums:
    """Agreement from -1 to 1 on rows that both rated; 1 where both always say one and the same thing.

    `kinds` are all that may be said; `ordered`: they are steps of a scale, and what is near is nearly right.
    """
    size = len(kinds)
    place = {kind: i for i, kind in enumerate(kinds)}
    rows = np.zeros((len(one), size * size))
    for row, (mine, theirs) in enumerate(zip(one, other, strict=True)):
        rows[row, place[mine] * size + place[theirs]] = 1
    steps = np.arange(size)
    apart = np.abs(steps[:, None] - steps)
    weights = apart**2 if ordered else (apart > 0).astype(np.int64)

    def total(sums: Numbers) -> Numbers:
        counts = sums.reshape(*sums.shape[:-1], size, size)
        by_chance = counts.sum(-1)[..., :, None] * counts.sum(-2)[..., None, :]
        expected = (weights * by_chance).sum((-1, -2)) / np.maximum(counts.sum((-1, -2)), 1)
        found = (weights * counts).sum((-1, -2))
        return np.asarray(1 - divided(found, expected))

    return Sums(rows, total)
