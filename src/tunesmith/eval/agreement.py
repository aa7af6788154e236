"""How far raters agree beyond chance.

Of two: Cohen's kappa (1960), with quadratic weights for scores (1968). Of as many for every row: Fleiss'
kappa (1971). Of any number, of whom each rated some: Krippendorff's alpha (2011).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, TypeAlias

import numpy as np

from tunesmith.eval.sums import Numbers, Sums, divided

CHOICES = ("a", "b", "tie")

Scale: TypeAlias = Literal["nominal", "ordinal", "interval"]


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


def fleiss(rows: Sequence[Sequence[Hashable]]) -> float | None:
    """Agreement of as many raters on every row; None without rows, or when they do not have as many ratings.

    1 where all always say one and the same thing.
    """
    if not rows or len({len(row) for row in rows}) != 1 or len(rows[0]) < 2:
        return None
    kinds = sorted({said for row in rows for said in row}, key=str)
    counts = np.array([[list(row).count(kind) for kind in kinds] for row in rows], np.float64)
    raters = len(rows[0])
    agreed = ((counts**2).sum(axis=1) - raters) / (raters * (raters - 1))
    by_chance = float((counts.mean(axis=0) / raters) @ (counts.mean(axis=0) / raters))
    return 1.0 if by_chance == 1 else float((agreed.mean() - by_chance) / (1 - by_chance))


def alpha(rows: Sequence[Sequence[Hashable]], scale: Scale = "nominal") -> float | None:
    """Agreement of those who rated a row, whoever and however many they are; None where no row has two.

    On an `ordinal` or `interval` scale ratings are numbers, and what is near is nearly right.
    """
    paired = [row for row in rows if len(row) >= 2]
    if not paired:
        return None
    kinds = sorted({said for row in paired for said in row}, key=str if scale == "nominal" else float)  # type: ignore[arg-type]
    place = {kind: at for at, kind in enumerate(kinds)}
    together = np.zeros((len(kinds), len(kinds)))
    for row in paired:
        counts = np.bincount([place[said] for said in row], minlength=len(kinds)).astype(np.float64)
        together += (np.outer(counts, counts) - np.diag(counts)) / (len(row) - 1)
    totals = together.sum(axis=0)
    apart = _apart(kinds, totals, scale)
    expected = float((np.outer(totals, totals) * apart).sum())
    return 1.0 if expected == 0 else float(1 - (totals.sum() - 1) * (together * apart).sum() / expected)


def _apart(kinds: Sequence[Hashable], totals: Numbers, scale: Scale) -> Numbers:
    """How far two ratings are apart, squared [kinds, kinds]."""
    if scale == "nominal":
        return np.asarray(1 - np.eye(len(kinds)))
    if scale == "interval":
        values = np.array([float(kind) for kind in kinds])  # type: ignore[arg-type]
        return np.asarray((values[:, None] - values) ** 2)
    # Between two ranks lie all ratings from the one to the other, of the outer ones half.
    middle = np.cumsum(totals) - totals / 2
    return np.asarray((middle[:, None] - middle) ** 2)
