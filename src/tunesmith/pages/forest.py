"""Figures with their intervals under each other, on one scale: who is where, and how surely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tunesmith.pages import svg

_WIDTH, _NAMES, _VALUES, _ROW, _AXIS = 960.0, 250.0, 90.0, 30.0, 24.0
_SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A value with its interval, a name to the left and the value in words to the right."""

    name: str
    value: float
    low: float
    high: float
    said: str


def forest(title: str, description: str, marks: Sequence[Mark], *, zero: bool = False) -> Markup:
    """A dot and a line for each mark; with `zero` a line where nothing is different."""
    ends = [end for mark in marks for end in (mark.low, mark.value, mark.high) if math.isfinite(end)]
    ends += [0.0] if zero else []
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = (high - low) * 0.05 or 0.05
    x = svg.Scale(low=low - room, high=high + room, start=_NAMES, end=_WIDTH - _VALUES)
    height = _ROW * len(marks) + _AXIS
    content = [_axis(x, height), *([_zero(x, height)] if zero else [])]
    content += [_mark(mark, x, _ROW * (i + 0.5)) for i, mark in enumerate(marks)]
    return svg.drawing("forest", (_WIDTH, height), title, description, svg.join(content))


def _axis(x: svg.Scale, height: float) -> Markup:
    places = svg.ticks(x.low, x.high)
    return svg.join(
        Markup(
            '<line class="grid" x1="{0:g}" x2="{0:g}" y1="0" y2="{1:g}"/>'
            '<text class="tick middle" x="{0:g}" y="{2:g}">{3}</text>'
        ).format(x(place), height - _AXIS, height - 6, name)
        for place, name in zip(places, svg.tick_texts(places), strict=True)
    )


def _zero(x: svg.Scale, height: float) -> Markup:
    return Markup('<line class="zero" x1="{0:g}" x2="{0:g}" y1="0" y2="{1:g}"/>').format(
        x(0.0), height - _AXIS
    )


def _mark(mark: Mark, x: svg.Scale, y: float) -> Markup:
    name = Markup('<text x="0" y="{:g}" dy="0.35em">{}<title>{}</title></text>').format(
        y, svg.shorten(mark.name, _SHOWN), mark.name
    )
    if not math.isfinite(mark.value):
        return name
    low, high = (end if math.isfinite(end) else mark.value for end in (mark.low, mark.high))
    return name + Markup(
        '<line class="span" x1="{:g}" x2="{:g}" y1="{y:g}" y2="{y:g}"/>'
        '<circle class="dot" cx="{:g}" cy="{y:g}" r="5"/>'
        '<text class="end" x="{:g}" y="{y:g}" dy="0.35em">{}</text>'
    ).format(x(low), x(high), x(mark.value), _WIDTH, mark.said, y=y)
