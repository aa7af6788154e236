"""The curves of training and validation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tunesmith.eval.report import Report
from tunesmith.pages import svg
from tunesmith.pages.words import Speaker, number, small

_FEW_POINTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with its title and a legend of (class, name)."""

    title: str
    picture: Markup
    legend: tuple[tuple[str, str], ...] = ()
    wide: bool = False


def figures(report: Report, say: Speaker) -> list[Figure]:
    """The loss, then each metric of the validation part, then the learning rate."""
    others = [*_validation(report, say), *_rate(report, say)]
    # Two stand side by side; the loss takes a line of its own where that leaves no gap.
    return [*_loss(report, say, wide=len(others) % 2 == 0), *others]


def _loss(report: Report, say: Speaker, *, wide: bool) -> Iterator[Figure]:
    points = [(float(p.step), p.loss) for p in report.curve]
    checked = [(float(p.step), p.scores["loss"]) for p in report.validation if "loss" in p.scores]
    if not points:
        return
    lines = [svg.Line(kind="line", points=points)]
    legend = [("line", say("curve_raw"))]
    if len(points) > _FEW_POINTS:
        raw, mean = svg.Line(kind="raw", points=points), svg.Line(kind="line", points=svg.smooth(points))
        lines = [raw, mean]
        legend = [("raw", say("curve_raw")), ("line", say("curve_smooth"))]
    if checked:
        name = say("curve_validation")
        lines.append(svg.Line(kind="check", points=checked, tips=_tips(checked, name, say)))
        legend.append(("check", name))
    title = say("curve_loss")
    picture = _chart(title, lines, points, say("curve_loss_unit"), say, wide=wide)
    yield Figure(title=title, picture=picture, legend=tuple(legend), wide=wide)


def _validation(report: Report, say: Speaker) -> Iterator[Figure]:
    metrics = dict.fromkeys(metric for p in report.validation for metric in p.scores)
    for metric in metrics:
        points = [(float(p.step), p.scores[metric]) for p in report.validation if metric in p.scores]
        if metric == "loss" or len(points) < 2:
            continue
        name = say.name("metric", metric)
        line = svg.Line(kind="check", points=points, tips=_tips(points, name, say))
        title = say("curve_metric", metric=name)
        yield Figure(title=title, picture=_chart(title, [line], points, name, say))


def _rate(report: Report, say: Speaker) -> Iterator[Figure]:
    points = [(float(p.step), p.learning_rate) for p in report.curve]
    if len(points) > 1:
        title = say("curve_rate")
        line = svg.Line(kind="line", points=points)
        yield Figure(title=title, picture=_chart(title, [line], points, title, say))


def _tips(points: Sequence[svg.Point], name: str, say: Speaker) -> list[str]:
    return [f"{say('step')} {x:,.0f}: {name} {number(y)}" for x, y in points]


def _chart(
    title: str,
    lines: Sequence[svg.Line],
    points: Sequence[svg.Point],
    unit: str,
    say: Speaker,
    *,
    wide: bool = False,
) -> Markup:
    values = [y for _, y in points if math.isfinite(y)] or [math.nan]
    description = say(
        "curve_desc",
        name=title,
        first=small(points[0][1]), from_step=f"{points[0][0]:,.0f}",
        last=small(points[-1][1]), to_step=f"{points[-1][0]:,.0f}",
        low=small(min(values)), high=small(max(values)),
    )  # fmt: skip
    return svg.line_chart(title, description, lines, x_name=say("step"), y_name=unit, wide=wide)
