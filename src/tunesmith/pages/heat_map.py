"""A square of shares as a picture: who was taken for whom."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from tunesmith.pages.svg import drawing, join, shorten

_GUTTER, _HEAD, _CELL = 230.0, 22.0, 11.0


def heat_map(
    title: str, description: str, labels: Sequence[str], cells: Iterable[tuple[int, int, float, str]]
) -> Markup:
    """A square of (row, column, share, tip) cells; the diagonal in one colour, the rest in another."""
    side = len(labels) * _CELL
    content = [
        Markup('<rect class="plane" x="{:g}" y="{:g}" width="{:g}" height="{:g}"/>').format(
            _GUTTER, _HEAD, side, side
        ),
        *(_names(i, label) for i, label in enumerate(labels)),
        *(_cell(*cell) for cell in cells),
    ]
    size = (_GUTTER + side + 2, _HEAD + side + 2)
    return drawing("heat", size, title, description, join(content))


def _names(i: int, label: str) -> Markup:
    middle = i * _CELL + _CELL / 2
    return Markup(
        '<text class="name end" x="{:g}" y="{:g}" dy="0.35em">{} <tspan class="number">{}</tspan></text>'
        '<text class="number middle" x="{:g}" y="{:g}">{}</text>'
    ).format(
        _GUTTER - 5, _HEAD + middle, shorten(label, 36), i + 1, _GUTTER + middle, _HEAD - 6, i + 1
    )  # fmt: skip


def _cell(row: int, column: int, share: float, tip: str) -> Markup:
    return Markup(
        '<rect class="{}" x="{:g}" y="{:g}" width="{:g}" height="{:g}" fill-opacity="{:.2f}">'
        "<title>{}</title></rect>"
    ).format(
        "right" if row == column else "wrong",
        _GUTTER + column * _CELL + 0.5, _HEAD + row * _CELL + 0.5, _CELL - 1, _CELL - 1,
        strength(share), tip,
    )  # fmt: skip


def strength(share: float) -> float:
    """Opacity of a share of rows: the root, so that a few mistakes in a hundred are still seen."""
    return round(0.12 + 0.68 * math.sqrt(share), 2) if share > 0 else 0.0
