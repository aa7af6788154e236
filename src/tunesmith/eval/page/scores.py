"""The scores of a report: tiles, the sentence that sums them up, and the rules of the gate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from tunesmith.eval.gate import Check
from tunesmith.eval.metrics import Direction
from tunesmith.eval.report import Report
from tunesmith.eval.significance import Difference
from tunesmith.pages import svg
from tunesmith.pages.words import Speaker, number


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One model's value of a metric, and the bar for it."""

    name: str
    value: str
    picture: Markup
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One metric: the model's value, and everything it is compared with."""

    metric: str
    value: str
    interval: str
    direction: str
    bars: tuple[Bar, ...]


def tiles(report: Report, say: Speaker) -> list[Tile]:
    """A tile for each metric, in the order they were asked for."""
    return [_tile(report, metric, say) for metric in report.scores]


def _tile(report: Report, metric: str, say: Speaker) -> Tile:
    others = [
        (say.name("name", name), scores[metric])
        for name, scores in report.baselines.items()
        if metric in scores
    ]
    named = [(report.model, report.scores[metric]), *others]
    top = max([1.0, *(value for _, value in named if math.isfinite(value))])
    bars = tuple(
        Bar(
            name=name,
            value=number(value),
            picture=svg.bar(value / top, "rest" if i else "main"),
            own=not i,
        )
        for i, (name, value) in enumerate(named)
    )
    return Tile(
        metric=say.name("metric", metric),
        value=number(report.scores[metric]),
        interval=_interval(report, metric, say),
        direction=say(report.directions.get(metric, "higher")),
        bars=bars,
    )


def _interval(report: Report, metric: str, say: Speaker) -> str:
    found = report.intervals.get(metric)
    return say("interval", low=number(found.low), high=number(found.high)) if found else ""


def signed(value: float) -> str:
    """A difference with its sign."""
    return f"+{number(value)}" if value > 0 else number(value).replace("-", "−")


def chance(p: float) -> str:
    """A probability; very small ones are not told apart."""
    return "< 0.001" if p < 1e-3 else f"{p:.3f}"


def verdict(difference: Difference, directions: Mapping[str, Direction], say: Speaker) -> str:
    """What a difference says of the model."""
    if not difference.is_shown:
        return say("difference_none")
    direction = directions.get(difference.metric)
    if direction == "neither":
        return say("difference_shown")
    is_better = (difference.value > 0) == (direction != "lower")
    return say("difference_better" if is_better else "difference_worse")


def lead(report: Report, say: Speaker) -> str:
    """The report in a sentence or two: the first metric, and how far the best baseline is."""
    if not report.scores:
        return ""
    metric, value = next(iter(report.scores.items()))
    shown = {
        "metric": say.name("metric", metric),
        "value": number(value),
        "rows": f"{report.rows:,}",
        "part": say.name("part", report.part),
    }
    first = say("lead", **shown)
    rivals = {name: scores[metric] for name, scores in report.baselines.items() if metric in scores}
    if not rivals:
        return first
    lower = report.directions.get(metric) == "lower"
    best = (min if lower else max)(rivals, key=rivals.__getitem__)
    gap = rivals[best] - value if lower else value - rivals[best]
    key = "lead_equal" if gap == 0 else "lead_better" if gap > 0 else "lead_worse"
    values = {"name": say.name("name", best), "value": number(rivals[best]), "gap": number(abs(gap))}
    return first + say.gap + say(key, **values)


def rule(check: Check, say: Speaker) -> str:
    """A check of the gate as a phrase."""
    key = f"rule_{check.rule}"
    if check.rule == "not_worse_than" and check.margin is not None:
        key = "rule_not_surely_worse"
    if check.reference and check.bound is None:
        key = "rule_first" if check.passed else "rule_unmeasured"
    metric = say.name("metric", check.metric)
    reference = say.name("name", check.reference or "")
    values = {"bound": number(check.bound), "margin": number(check.margin)}
    said = say(key, metric=metric, reference=reference, **values)
    if check.slice:
        said = say("rule_slice", rule=said, slice=check.slice)
    if check.gain is None:
        return said
    return f"{said}; {say('rule_gain' if check.gain >= 0 else 'rule_loss', gain=number(abs(check.gain)))}"
