"""Charts as inline SVG: they need no script, print sharply, and say in words what they show.

Lengths are in the units of each drawing's viewBox; colours are classes of the page's style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

Point = tuple[float, float]

_WIDTH, _WIDE, _HEIGHT = 460.0, 960.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 16.0, 30.0, 44.0
_MAX_POINTS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Points in the order of x, drawn in the style `kind`; `tips`, one a point, draw dots that say them."""

    kind: str
    points: Sequence[Point]
    tips: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Values from `low` to `high` put on lengths from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The length at which `value` is drawn."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + share * (self.end - self.start), 1)


def join(parts: Iterable[Markup]) -> Markup:
    """Pieces of markup one after the other."""
    return Markup("").join(parts)


def drawing(kind: str, size: Point, title: str, description: str, content: Markup) -> Markup:
    """An SVG that screen readers announce by `title` and `description`."""
    width, height = size
    return Markup(
        '<svg class="{}" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">'
        "<title>{}</title><desc>{}</desc>{}</svg>"
    ).format(kind, width, height, f"{title}. {description}", title, description, content)


def ticks(low: float, high: float, count: int = 6) -> list[float]:
    """Round numbers from `low` to `high`, about `count` of them."""
    rough = (high - low) / max(1, count - 1)
    if not math.isfinite(rough) or rough <= 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def line_chart(
    title: str,
    description: str,
    lines: Sequence[Line],
    *,
    x_name: str,
    y_name: str,
    wide: bool = False,
) -> Markup:
    """Lines over a common x, with a grid, both axes named; values that are not numbers leave gaps."""
    width = _WIDE if wide else _WIDTH
    shown = [p for line in lines for p in line.points if math.isfinite(p[1])]
    x = _scale([p[0] for p in shown], 0.0, _LEFT, width - _RIGHT)
    y = _scale([p[1] for p in shown], 0.06, _HEIGHT - _BOTTOM, _TOP)
    content = [_grid(x, y), _axis_names(x.end, x_name, y_name), *(_line(line, x, y) for line in lines)]
    return drawing("chart", (width, _HEIGHT), title, description, join(content))


def _scale(values: Sequence[float], margin: float, start: float, end: float) -> Scale:
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low) * margin or (0.0 if margin == 0 else abs(high) * 0.1 or 1.0)
    # A loss or a score near zero keeps zero as its floor.
    bottom = max(0.0, low - room) if low >= 0 else low - room
    return Scale(low=bottom, high=high + room, start=start, end=end)


def tick_texts(values: Sequence[float]) -> list[str]:
    """Round numbers as text, all with the same decimals, and with a power of ten when they are tiny."""
    if 0 < max(map(abs, values), default=0.0) < 5e-3:
        return [tiny(value) for value in values]
    decimals = next((d for d in range(4) if all(round(v, d) == v for v in values)), 4)
    return [f"{v:,.{decimals}f}" for v in values]


def tiny(value: float) -> str:
    """A small number as 1.5e-4."""
    digits, _, power = f"{value:.2e}".partition("e")
    return f"{float(digits):g}e{int(power)}" if value else "0"


def _grid(x: Scale, y: Scale) -> Markup:
    heights = ticks(y.low, y.high)
    across = [
        Markup(
            '<line class="grid" x1="{0:g}" x2="{1:g}" y1="{2:g}" y2="{2:g}"/>'
            '<text class="tick end" x="{3:g}" y="{2:g}" dy="0.35em">{4}</text>'
        ).format(x.start, x.end, y(value), x.start - 8, name)
        for value, name in zip(heights, tick_texts(heights), strict=True)
    ]
    along = [
        Markup('<text class="tick middle" x="{:g}" y="{:g}">{:,.0f}</text>').format(
            x(value), _HEIGHT - _BOTTOM + 20, value
        )
        for value in ticks(x.low, x.high)
        if value == int(value)
    ]
    return join([*across, *along])


def _axis_names(end: float, x_name: str, y_name: str) -> Markup:
    return Markup(
        '<text class="axis" x="4" y="15">{}</text><text class="axis end" x="{:g}" y="{:g}">{}</text>'
    ).format(y_name, end, _HEIGHT - 5, x_name)


def _line(line: Line, x: Scale, y: Scale) -> Markup:
    runs = [
        list(run) for is_number, run in groupby(thin(line.points), lambda p: math.isfinite(p[1])) if is_number
    ]
    paths = [
        Markup('<polyline class="{}" points="{}"/>').format(
            line.kind, " ".join(f"{x(a):g},{y(b):g}" for a, b in run)
        )
        for run in runs
    ]
    dots = [
        Markup('<circle class="{}" cx="{:g}" cy="{:g}" r="4"><title>{}</title></circle>').format(
            line.kind, x(a), y(b), tip
        )
        for (a, b), tip in zip(line.points, line.tips, strict=False)
        if math.isfinite(b)
    ]
    return join([*paths, *dots])


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Counts of values in bins of one width from `start`; `beyond` counts those larger than all bins."""

    start: float
    width: float
    counts: Sequence[int]
    beyond: int = 0

    @property
    def end(self) -> float:
        """Where the last bin ends."""
        return self.start + self.width * len(self.counts)

    @property
    def drawn_end(self) -> float:
        """Where the drawing ends: after the column of what lies beyond."""
        return self.end + (1.6 * self.width if self.beyond else 0)


def shows(bins: Bins, limit: float) -> bool:
    """Whether a histogram shows a limit: one far to the right would press all columns against the left."""
    return limit <= bins.start + 1.6 * (bins.drawn_end - bins.start)


def histogram(
    title: str,
    description: str,
    bins: Bins,
    *,
    x_name: str,
    y_name: str,
    limit: float | None = None,
    limit_name: str = "",
    wide: bool = False,
) -> Markup:
    """Columns of counts; those beyond `limit` in another colour, with a line there that carries its name."""
    width = _WIDE if wide else _WIDTH
    shown = limit if limit is not None and shows(bins, limit) else None
    high = max(bins.drawn_end, (shown or 0) * 1.04)
    x = Scale(low=bins.start, high=high, start=_LEFT, end=width - _RIGHT)
    y = Scale(low=0, high=max([1, bins.beyond, *bins.counts]) * 1.06, start=_HEIGHT - _BOTTOM, end=_TOP)
    content = [_grid(x, y), _axis_names(x.end, x_name, y_name), *_columns(bins, x, y, limit)]
    if shown is not None:
        content.append(_limit(x(shown), limit_name, x))
    return drawing("chart", (width, _HEIGHT), title, description, join(content))


def _columns(bins: Bins, x: Scale, y: Scale, limit: float | None) -> Iterable[Markup]:
    for i, count in enumerate(bins.counts):
        low = bins.start + i * bins.width
        tip = f"{low:,.0f}" if bins.width == 1 else f"{low:,.0f}–{low + bins.width - 1:,.0f}"
        yield _column(x(low), x(low + bins.width), y, count, tip, is_over=limit is not None and low >= limit)
    if bins.beyond:
        low = bins.end + 0.3 * bins.width
        is_over = limit is not None and bins.end >= limit
        yield _column(x(low), x(low + bins.width), y, bins.beyond, f"≥ {bins.end:,.0f}", is_over=is_over)


def _column(left: float, right: float, y: Scale, count: int, tip: str, *, is_over: bool) -> Markup:
    if not count:
        return Markup("")
    # One row among thousands must be seen too.
    top = min(y(count), y.start - 1.5)
    gap = 1.0 if right - left > 4 else 0.0
    return Markup(
        '<rect class="{}" x="{:g}" y="{:g}" width="{:g}" height="{:g}"><title>{}: {:,}</title></rect>'
    ).format(
        "over" if is_over else "column", left, top, right - left - gap, round(y.start - top, 1), tip, count
    )


def _limit(at: float, name: str, x: Scale) -> Markup:
    side, away = ("end", -6) if at > (x.start + x.end) / 2 else ("", 6)
    return Markup(
        '<line class="limit" x1="{0:g}" x2="{0:g}" y1="{1:g}" y2="{2:g}"/>'
        '<text class="limit {3}" x="{4:g}" y="{5:g}">{6}</text>'
    ).format(at, _TOP - 6, _HEIGHT - _BOTTOM, side, at + away, _TOP + 4, name)


def ranks(title: str, description: str, values: Sequence[tuple[str, float]]) -> Markup:
    """A column for each (tip, value), side by side on the whole width, to show how even they are."""
    top = max([1e-9, *(value for _, value in values)])
    step = 100 / max(1, len(values))
    gap = min(0.25 * step, 0.3)
    content = join(
        Markup(
            '<rect class="column" x="{:.3f}%" y="{:.2f}%" width="{:.3f}%" height="{:.2f}%">'
            "<title>{}</title></rect>"
        ).format(i * step, 100 - (share := max(1.5, 100 * value / top)), step - gap, share, tip)
        for i, (tip, value) in enumerate(values)
    )
    return Markup(
        '<svg class="ranks" role="img" aria-label="{}"><title>{}</title><desc>{}</desc>{}</svg>'
    ).format(f"{title}. {description}", title, description, content)


def thin(points: Sequence[Point], limit: int = _MAX_POINTS) -> Sequence[Point]:
    """At most `limit` points, each the mean of its neighbours."""
    if len(points) <= limit:
        return points
    size = math.ceil(len(points) / limit)
    groups = (points[i : i + size] for i in range(0, len(points), size))
    return [(sum(p[0] for p in g) / len(g), sum(p[1] for p in g) / len(g)) for g in groups]


def smooth(points: Sequence[Point], reach: int = 6) -> list[Point]:
    """Each point as the mean of itself and up to `reach` neighbours on both sides, so nothing lags behind."""
    thinned = [p for p in thin(points) if math.isfinite(p[1])]
    result: list[Point] = []
    for i, (x, _) in enumerate(thinned):
        # The same number on both sides: a mean of one side alone would bend the ends.
        near = min(reach, i, len(thinned) - 1 - i)
        window = thinned[i - near : i + near + 1]
        result.append((x, sum(y for _, y in window) / len(window)))
    return result


def bar(share: float, kind: str) -> Markup:
    """A bar of `share` (0 to 1) of the width at hand; the number it shows stands beside it as text."""
    width = 100 * min(1.0, max(0.0, share)) if math.isfinite(share) else 0.0
    return Markup(
        '<svg class="bar" aria-hidden="true"><rect class="track" width="100%" height="100%" rx="3"/>'
        '<rect class="{}" width="{:.2f}%" height="100%" rx="3"/></svg>'
    ).format(kind, width)


def stack(title: str, description: str, parts: Sequence[tuple[str, str, float]]) -> Markup:
    """One bar made of (class, tip, share) parts."""
    starts = [sum(share for *_, share in parts[:i]) for i in range(len(parts))]
    content = join(
        Markup('<rect class="{}" x="{:.3f}%" width="{:.3f}%" height="100%"><title>{}</title></rect>').format(
            kind, 100 * start, 100 * share, tip
        )
        for (kind, tip, share), start in zip(parts, starts, strict=True)
    )
    return Markup(
        '<svg class="stack" role="img" aria-label="{}"><title>{}</title><desc>{}</desc>{}</svg>'
    ).format(f"{title}. {description}", title, description, content)


def shorten(text: str, width: int) -> str:
    """At most `width` columns of text; Chinese characters are two wide."""
    used = 0
    for i, character in enumerate(text):
        used += 2 if ord(character) > 0x2E7F else 1
        if used > width:
            return text[:i] + "…"
    return text
