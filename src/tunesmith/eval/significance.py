"""How sure a figure is, and whether two models differ: by the bootstrap, both on the same draws of rows.

Intervals are percentiles of a thousand draws (Efron 1979). Where rows are right or wrong that of a share is
Wilson's (1927) and that of a difference Bonett and Price's (2012), which hold where all rows are right or
hardly one changes, too; there a difference is tested exactly (McNemar 1947). Tests of several metrics are
corrected together (Holm 1979).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tunesmith.core import components
from tunesmith.eval.metrics import Figures
from tunesmith.eval.outcome import Outcome, take
from tunesmith.eval.sums import Drawn, Numbers, Sums, drawn_of

LEVEL = 0.95
DRAWS = 1000
# Draws of at most so many rows are made at once.
_ROWS_AT_ONCE = 4_000_000
# What a standard error is multiplied with for a difference that a test of 5 % finds four times in five.
_POWER = 1.959964 + 0.841621
# The fewest rows that, all changed to one side, are no chance: 2 * 0.5 ** 6 < 0.05.
_FEWEST = 6

Places = NDArray[np.int64]
Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where the true value is, by `LEVEL`."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A model's figure less that of another on the same rows.

    `p`: how likely a difference so large is by chance, corrected for the other metrics. `detectable`: the
    smallest difference that these rows would show four times in five.
    """

    metric: str
    beside: str
    value: float
    low: float
    high: float
    p: float
    detectable: float

    @property
    def is_shown(self) -> bool:
        """Whether it is more than chance."""
        return self.p < 1 - LEVEL


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paired:
    """The differences of two models in one metric on the same draws of rows.

    `changed`: how many rows only one of them has right; None where rows are not right or wrong.
    """

    value: float
    draws: Numbers
    p: float
    rows: int
    changed: int | None

    def interval(self, level: float = LEVEL) -> Interval:
        """Where the true difference is."""
        if self.changed is None:
            return _percentiles(self.draws, level)
        return of_changes(self.value, self.changed, self.rows, level)

    @property
    def detectable(self) -> float:
        """The smallest difference that these rows would show four times in five."""
        known = self.draws[np.isfinite(self.draws)]
        found = _POWER * float(known.std()) if len(known) else math.nan
        return found if self.changed is None else max(found, _FEWEST / self.rows)


def intervals(figures: Figures) -> dict[str, Interval]:
    """The interval of each metric that has one: a metric of the user's own needs to be `summed`."""
    rows = len(figures.outcome.rows)
    found = {name: _percentiles(draws, LEVEL) for name, draws in _draws(_drawn(figures), rows).items()}
    shares = {name: wilson(sums.value, rows) for name, sums in figures.sums.items() if sums.hits}
    return found | shares


def paired(mine: Figures, other: Figures) -> dict[str, Paired]:
    """The differences of two models in each metric that can be drawn, on the rows that both were asked."""
    first, second = _common(mine.outcome, other.outcome)
    if not len(first):
        return {}
    mine, other = _on(mine, first), _on(other, second)
    # Both at once: the same rows are drawn for them.
    drawn = {(side, name): of for side, each in enumerate((mine, other)) for name, of in _drawn(each).items()}
    draws = _draws(drawn, len(first))
    return {
        name: _pair(name, mine, other, _apart(draws[0, name], draws[1, name]))
        for side, name in drawn
        if side == 0 and (1, name) in drawn
    }


def differences(beside: str, found: dict[str, Paired]) -> Iterator[Difference]:
    """What is told of the pairs of models with one other, its tests corrected together."""
    corrected = holm([pair.p for pair in found.values()])
    for (metric, pair), p in zip(found.items(), corrected, strict=True):
        yield told(metric, beside, pair, p)


def told(metric: str, beside: str, pair: Paired, p: float) -> Difference:
    """A pair as it is told, with a `p` that is corrected for what else was tested."""
    where = pair.interval()
    return Difference(
        metric=metric,
        beside=beside,
        value=pair.value,
        low=where.low,
        high=where.high,
        p=p,
        detectable=pair.detectable,
    )


def holm(ps: Sequence[float]) -> list[float]:
    """Each p as if it were the only one (Holm 1979), in the given order."""
    order = np.argsort(ps, kind="stable")
    steps = np.array(ps)[order] * np.arange(len(ps), 0, -1)
    result = np.empty(len(ps))
    result[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return [float(p) for p in result]


def wilson(right: float, rows: int, level: float = LEVEL) -> Interval:
    """The interval of a share of rows (Wilson 1927)."""
    from scipy.stats import norm

    z = float(norm.ppf((1 + level) / 2))
    middle = (right + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * (right * (1 - right) / rows + z * z / (4 * rows * rows)) ** 0.5
    return Interval(low=max(0.0, middle - half), high=min(1.0, middle + half) if right < 1 else 1.0)


def of_changes(value: float, changed: int, rows: int, level: float = LEVEL) -> Interval:
    """The interval of the difference of two shares of the same rows (Bonett and Price 2012).

    Rows drawn again would call a model better for one row that it alone has right.
    """
    from scipy.stats import norm

    counted = rows + 2  # as if one more row had changed either way
    middle = value * rows / counted
    half = float(norm.ppf((1 + level) / 2)) * (((changed + 2) / counted - middle**2) / counted) ** 0.5
    return Interval(low=max(-1.0, middle - half), high=min(1.0, middle + half))


def mcnemar(mine: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """How likely it is by chance that one of two models is right so much more often, [rows] each."""
    from scipy.stats import binomtest

    gained, lost = int((mine & ~other).sum()), int((other & ~mine).sum())
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def _pair(name: str, mine: Figures, other: Figures, draws: Numbers) -> Paired:
    sums = mine.sums.get(name)
    hits = sums is not None and sums.hits
    right = [figures.sums[name].rows[:, 0] > 0 for figures in (mine, other)] if hits else []
    return Paired(
        value=mine.scores[name] - other.scores[name],
        draws=draws,
        p=mcnemar(*right) if hits else _chance(draws),
        rows=len(mine.outcome.rows),
        changed=int((right[0] != right[1]).sum()) if hits else None,
    )


def _apart(one: Numbers, other: Numbers) -> Numbers:
    with np.errstate(invalid="ignore"):  # of two infinities
        return one - other


def _chance(draws: Numbers) -> float:
    """Twice the share of draws on the other side of no difference, one draw added to each side."""
    known = draws[~np.isnan(draws)]
    sides = (int((known <= 0).sum()), int((known >= 0).sum()))
    return min(1.0, 2 * (min(sides) + 1) / (len(known) + 1))


def _common(mine: Outcome, other: Outcome) -> tuple[Places, Places]:
    """Where the rows of both are, in the order of the first."""
    places = {int(row): place for place, row in enumerate(other.rows)}
    both = [(i, places[int(row)]) for i, row in enumerate(mine.rows) if int(row) in places]
    first, second = np.array(both, dtype=np.int64).reshape(-1, 2).T
    return first, second


def _on(figures: Figures, places: Places) -> Figures:
    """The figures that can be drawn, of some rows."""
    outcome = take(figures.outcome, places)
    sums = {name: replace(each, rows=each.rows[places]) for name, each in figures.sums.items()}
    scores = {name: each.value for name, each in sums.items()}
    redrawn = {name: components.metrics.get(name)(outcome) for name in _redrawn(figures)}
    return Figures(outcome=outcome, scores=scores | redrawn, sums=sums)


def _redrawn(figures: Figures) -> dict[str, Callable[[Outcome], Drawn]]:
    """Those metrics that are no functions of sums and yet can be drawn."""
    others = (name for name in figures.scores if name not in figures.sums)
    found = {name: drawn_of(components.metrics.get(name)) for name in others}
    return {name: drawn for name, drawn in found.items() if drawn is not None}


def _drawn(figures: Figures) -> dict[str, Drawn]:
    summed = {name: partial(_of_sums, sums) for name, sums in figures.sums.items()}
    return {**summed, **{name: drawn(figures.outcome) for name, drawn in _redrawn(figures).items()}}


def _of_sums(sums: Sums, counts: Numbers) -> Numbers:
    return sums.total(counts @ sums.rows)


def _draws(drawn: Mapping[Name, Drawn], rows: int) -> dict[Name, Numbers]:
    """Each metric of every draw; draws of so many rows are the same for all metrics and models."""
    rng = np.random.Generator(np.random.Philox(key=rows))
    found: dict[Name, list[Numbers]] = {name: [] for name in drawn}
    at_once = max(1, _ROWS_AT_ONCE // rows)
    for start in range(0, DRAWS, at_once):
        now = min(at_once, DRAWS - start)
        picked = rng.integers(rows, size=(now, rows)) + rows * np.arange(now)[:, None]
        counts = np.bincount(picked.ravel(), minlength=now * rows).reshape(now, rows).astype(np.float64)
        for name, of in drawn.items():
            found[name].append(of(counts))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _percentiles(draws: Numbers, level: float) -> Interval:
    known = draws[~np.isnan(draws)]
    if not len(known):
        return Interval(low=math.nan, high=math.nan)
    # Draws themselves and nothing between: between two infinities is no number.
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return Interval(low=float(low), high=float(high))
