"""What augmentation brings: a model trained with the rows that were made, beside one trained without them.

Both were trained with the same seeds and judged on the same rows. The interval of the difference has the
chance of the rows in it and that of the seeds, so that a lucky seed does not pass for an improvement. One
seed says nothing of that chance, and gets no verdict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from tunesmith.eval.significance import Paired

LEVEL = 0.95
Verdict: TypeAlias = Literal["helps", "hurts", "unclear", "one_seed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """The figures of a metric with the rows that were made, and without them."""

    seed: int
    augmented: float
    plain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """What the rows of each augmenter brought, over all seeds: `difference` is the mean gain of the metric.

    `rows` says what each augmenter did. `verdict`: the gain is surely there, surely a loss, or may be chance;
    from one seed it cannot be told.
    """

    metric: str
    seeds: tuple[Seed, ...]
    difference: float
    low: float
    high: float
    verdict: Verdict
    rows: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])


def ablation(
    metric: str,
    seeds: Sequence[Seed],
    pairs: Sequence[Paired],
    rows: Mapping[str, Mapping[str, int]],
    *,
    lower_is_better: bool,
) -> Ablation:
    """The ablation of some seeds; `pairs` has each difference on the same rows, where it can be drawn."""
    found = np.array([one.augmented - one.plain for one in seeds])
    difference = float(found.mean())
    half = math.hypot(_of_rows(pairs), _of_seeds(found))
    low, high = difference - half, difference + half
    # Where neither is known, nothing is sure.
    gains, loses = (high < 0, low > 0) if lower_is_better else (low > 0, high < 0)
    sure = half > 0
    verdict: Verdict = "helps" if gains and sure else "hurts" if loses and sure else "unclear"
    return Ablation(
        metric=metric, seeds=tuple(seeds), difference=difference, low=low, high=high, rows=rows,
        verdict=verdict if len(seeds) > 1 else "one_seed",
    )  # fmt: skip


def _of_rows(pairs: Sequence[Paired]) -> float:
    """Half of the interval of a difference over rows, on average."""
    found = [pair.interval() for pair in pairs]
    return float(np.mean([(one.high - one.low) / 2 for one in found])) if found else 0.0


def _of_seeds(differences: np.ndarray) -> float:
    """Half of the interval of a mean over seeds, by Student's t; nothing is known of it from one seed."""
    count = len(differences)
    if count < 2:
        return 0.0
    from scipy import stats

    return float(stats.t.ppf((1 + LEVEL) / 2, count - 1) * differences.std(ddof=1) / math.sqrt(count))
