"""What a report says beyond scores: parts that fare worse, how far probabilities go, causes of mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tunesmith.eval.page.curves import Figure
from tunesmith.eval.report import Report
from tunesmith.eval.slices import Condition, Slice
from tunesmith.pages import svg
from tunesmith.pages.words import Speaker, number, percent

_MANY = 12
"""A column of more values is told by its worst parts alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The parts of the rows by one column."""

    name: str
    slices: tuple[Slice, ...]


def groups(report: Report, say: Speaker) -> list[Group]:
    """The figure by the values of each column that has a few, the worst first; not of labels."""
    sign = -1 if report.slices and report.directions.get(report.slices.metric) == "lower" else 1
    found = report.slices.groups if report.slices else ()
    by_column = groupby(found, lambda each: each.conditions[0].column)
    named = [(column, tuple(slices)) for column, slices in by_column if column != "label"]
    return [
        Group(name=say.name("slice", column), slices=tuple(sorted(slices, key=lambda one: sign * one.value)))
        for column, slices in named
        if 1 < len(slices) <= _MANY
    ]


def where(conditions: Sequence[Condition], say: Speaker) -> str:
    """The conditions of a part as a phrase."""
    return " · ".join(f"{say.name('slice', each.column)}: {each.value}" for each in conditions)


def reach(report: Report) -> float:
    """What is a full bar: one, or the largest figure of a part."""
    found = report.slices.groups if report.slices else ()
    return max([1.0, *(each.value for each in found)])


def figures(report: Report, say: Speaker) -> Iterator[Figure]:
    """The reliability curve, and what is right of the surest rows."""
    if report.calibration is None:
        return
    bins = [(100 * each.confidence, 100 * each.accuracy) for each in report.calibration.bins]
    tips = [
        say(
            "reliability_tip",
            rows=f"{each.rows:,}",
            sure=percent(each.confidence),
            right=percent(each.accuracy),
        )
        for each in report.calibration.bins
    ]
    even = svg.Line(kind="raw", points=[(0.0, 0.0), (100.0, 100.0)])
    lines = [even, svg.Line(kind="check", points=bins, tips=tips)]
    legend = (("raw", say("reliability_even")), ("check", say("reliability_bins")))
    yield _figure(
        "reliability", lines, legend, say, say("reliability_x"), error=number(report.calibration.error)
    )
    kept = report.calibration.abstention
    points = [(100 * each.coverage, 100 * each.accuracy) for each in kept]
    tips = [
        say(
            "abstention_tip",
            share=percent(each.coverage),
            right=percent(each.accuracy),
            sure=percent(each.threshold),
        )
        for each in kept
    ]
    line = svg.Line(kind="check", points=points, tips=tips)
    first, last = kept[0], kept[-1]
    yield _figure(
        "abstention", [line], (), say, say("abstention_x"),
        first=percent(first.accuracy), share=percent(first.coverage), last=percent(last.accuracy),
    )  # fmt: skip


def _figure(
    name: str,
    lines: Sequence[svg.Line],
    legend: tuple[tuple[str, str], ...],
    say: Speaker,
    x: str,
    **told: str,
) -> Figure:
    title = say(name)
    picture = svg.line_chart(title, say(f"{name}_desc", **told), lines, x_name=x, y_name=say("right_percent"))
    return Figure(title=title, picture=picture, legend=legend)
