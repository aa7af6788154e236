"""Where a model is worse than elsewhere: its figure on parts of the rows, told by one or two conditions.

Every part of enough rows is held to all other rows, by Fisher's exact test where rows are right or wrong,
else by Welch's test of what each row adds to the figure. There are many such parts: the tests are corrected
together (Holm 1979), so that in noise nothing is found more often than one time in twenty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tunesmith.eval.significance import LEVEL, holm
from tunesmith.eval.sums import Numbers, Sums

Columns = Mapping[str, Sequence[Sequence[str]]]
"""Of each column the values of each row: one as a rule, none or several where rows have those."""

FEWEST = 20
"""A part of fewer rows says too little."""
_MOST = 200  # values of one column, the most frequent
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Rows whose `column` has this value."""

    column: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The rows that meet all conditions: the figure on them and on all others.

    `p`: how likely they are so much worse by chance, corrected for all parts that were looked at.
    """

    conditions: tuple[Condition, ...]
    rows: int
    value: float
    rest: float
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """The figure by the values of each column, and the parts that are surely worse, the worst first.

    `searched` is how many parts were looked at.
    """

    metric: str
    groups: tuple[Slice, ...]
    worst: tuple[Slice, ...]
    searched: int


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    conditions: tuple[Condition, ...]
    rows: NDArray[np.bool_]


def search(metric: str, sums: Sums, columns: Columns, *, lower: bool) -> Slices | None:
    """Look for parts on which a metric is worse; None where no column divides the rows.

    `lower`: lower figures are better.
    """
    single = [part for column, values in columns.items() for part in _parts(column, values)]
    parts = [*single, *_pairs(single)]
    if not parts:
        return None
    chances = _chances(sums, parts, lower)
    slices = [_slice(sums, part, p) for part, p in zip(parts, holm(chances), strict=True)]
    return Slices(
        metric=metric,
        groups=tuple(slices[: len(single)]),
        worst=tuple(_worst(sums, parts, slices, lower))[:_SHOWN],
        searched=len(parts),
    )


def _parts(column: str, values: Sequence[Sequence[str]]) -> Iterator[_Part]:
    """A part for each value of a column that enough rows have, and not nearly all."""
    counts: dict[str, list[int]] = {}
    for row, own in enumerate(values):
        for value in dict.fromkeys(own):
            counts.setdefault(value, []).append(row)
    enough = {v: rows for v, rows in counts.items() if FEWEST <= len(rows) <= len(values) - FEWEST}
    frequent = sorted(enough, key=lambda value: -len(enough[value]))[:_MOST]
    for value in (value for value in enough if value in frequent):
        rows = np.zeros(len(values), dtype=bool)
        rows[enough[value]] = True
        yield _Part((Condition(column=column, value=value),), rows)


def _pairs(parts: Sequence[_Part]) -> Iterator[_Part]:
    for one, other in combinations(parts, 2):
        if one.conditions[0].column == other.conditions[0].column:
            continue
        rows = one.rows & other.rows
        smaller = min(one.rows.sum(), other.rows.sum())
        if FEWEST <= rows.sum() < smaller:
            yield _Part((*one.conditions, *other.conditions), rows)


def _slice(sums: Sums, part: _Part, p: float) -> Slice:
    inside, outside = (float(sums.total(sums.rows[rows].sum(axis=0))) for rows in (part.rows, ~part.rows))
    return Slice(conditions=part.conditions, rows=int(part.rows.sum()), value=inside, rest=outside, p=p)


def _worst(sums: Sums, parts: Sequence[_Part], slices: Sequence[Slice], lower: bool) -> Iterator[Slice]:
    """Those that are surely worse, the worst first; two conditions must be worse than either alone."""
    sign = 1 if lower else -1
    found = [(part, each) for part, each in zip(parts, slices, strict=True) if each.p < 1 - LEVEL]
    alone = {part.conditions[0]: part for part, _ in found if len(part.conditions) == 1}
    for part, each in sorted(found, key=lambda pair: -sign * pair[1].value):
        wider = [alone[one] for one in part.conditions if one in alone and len(part.conditions) > 1]
        if all(_is_worse_within(sums, part, other, lower) for other in wider):
            yield each


def _is_worse_within(sums: Sums, part: _Part, wider: _Part, lower: bool) -> bool:
    """Whether a part is surely worse than the rest of a wider one."""
    inner = replace(sums, rows=sums.rows[wider.rows])
    return _chances(inner, [replace(part, rows=part.rows[wider.rows])], lower)[0] < 1 - LEVEL


def _chances(sums: Sums, parts: Sequence[_Part], lower: bool) -> list[float]:
    """How likely each part is so much worse by chance."""
    masks = np.array([part.rows for part in parts])
    if sums.hits:
        return _fisher(sums.rows[:, 0], masks, lower)
    return _welch(influence(sums) * (1 if lower else -1), masks)


def _fisher(right: Numbers, masks: NDArray[np.bool_], lower: bool) -> list[float]:
    """One-sided, of parts [parts, rows]: so few right, or so many where that is worse."""
    from scipy.stats import hypergeom

    inside, sizes = masks @ right, masks.sum(axis=1)
    counted = (len(right), right.sum(), sizes)
    found = hypergeom.sf(inside - 1, *counted) if lower else hypergeom.cdf(inside, *counted)
    return [float(p) for p in found]


def _welch(worse: Numbers, masks: NDArray[np.bool_]) -> list[float]:
    """One-sided, of parts [parts, rows]: what their rows add to the figure is so much worse."""
    from scipy.stats import ttest_ind

    pairs = ((worse[rows], worse[~rows]) for rows in masks)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = [
            float(ttest_ind(inside, outside, equal_var=False, alternative="greater").pvalue)
            if inside.std() + outside.std() > 0
            else float(inside.mean() <= outside.mean())
            for inside, outside in pairs
        ]
    return [1.0 if np.isnan(p) else p for p in found]


def influence(sums: Sums) -> Numbers:
    """By how much the figure would be lower without each row, times the number of rows [rows]."""
    whole = sums.rows.sum(axis=0)
    with np.errstate(invalid="ignore"):
        found = len(sums.rows) * (sums.total(whole) - sums.total(whole - sums.rows))
    return np.nan_to_num(found)
