"""Charts: round ticks, gaps, and words for those who cannot see them."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.pages import svg

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@settings(deadline=None)
@given(NUMBERS, st.floats(1e-3, 1e6))
def test_ticks_lie_inside_and_are_neither_few_nor_many(low: float, width: float) -> None:
    found = svg.ticks(low, low + width)
    assert 2 <= len(found) <= 8
    assert all(low - width * 1e-6 <= tick <= low + width * (1 + 1e-6) for tick in found)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0, 0.5, 1], ["0.0", "0.5", "1.0"]),
        ([0.9, 0.925, 0.95], ["0.900", "0.925", "0.950"]),
        ([0, 2000], ["0", "2,000"]),
        ([0, 5e-5, 1e-4, 1.5e-4], ["0", "5e-5", "1e-4", "1.5e-4"]),
    ],
)
def test_ticks_of_an_axis_are_written_alike(values: list[float], texts: list[str]) -> None:
    assert svg.tick_texts(values) == texts


@settings(deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=2000))
def test_a_long_curve_becomes_short_and_stays_in_its_range(values: list[float]) -> None:
    points = [(float(i), value) for i, value in enumerate(values)]
    found = svg.thin(points)
    assert len(found) <= 300
    low, high = min(values), max(values)
    assert all(low - 1e-9 <= y <= high + 1e-9 for _, y in found)


def test_smoothing_leaves_a_straight_line_alone() -> None:
    points = [(float(i), 2.0 * i) for i in range(50)]
    assert [y for _, y in svg.smooth(points)] == pytest.approx([y for _, y in points])


def parse(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314 - drawn by the code under test


def chart(points: list[svg.Point]) -> ET.Element:
    drawn = svg.line_chart(
        "Loss <b>", "falls & falls", [svg.Line(kind="line", points=points)], x_name="step", y_name="nats"
    )
    return parse(drawn)


def test_a_chart_says_what_it_is() -> None:
    found = chart([(1, 2.0), (2, 1.0)])
    assert found.get("role") == "img"
    assert found.get("aria-label") == "Loss <b>. falls & falls"
    assert [found[0].tag, found[0].text, found[1].text] == ["title", "Loss <b>", "falls & falls"]
    texts = [element.text for element in found.iter("text")]
    assert "step" in texts
    assert "nats" in texts


def test_a_value_that_is_not_a_number_leaves_a_gap() -> None:
    found = chart([(1, 2.0), (2, 1.5), (3, math.nan), (4, 1.0), (5, 0.5)])
    lines = [line.get("points") for line in found.iter("polyline")]
    assert len(lines) == 2
    assert "nan" not in "".join(map(str, lines))


@pytest.mark.parametrize("points", [[], [(1, 2.0)], [(1, 0.0), (2, 0.0)], [(1, math.nan)]])
def test_curves_with_hardly_anything_in_them_are_drawn(points: list[svg.Point]) -> None:
    assert chart(points).tag == "svg"


def test_a_bar_stays_inside_its_track() -> None:
    for share in (-1, 0.5, 7, math.nan):
        width = float(str(parse(svg.bar(share, "main"))[1].get("width")).rstrip("%"))
        assert 0 <= width <= 100


def test_chinese_characters_are_two_columns_wide() -> None:
    assert svg.shorten("银行卡丢失", 6) == "银行卡…"
    assert svg.shorten("lost card", 9) == "lost card"


def test_a_few_mistakes_are_visible() -> None:
    assert svg.strength(0) == 0
    assert svg.strength(0.01) > 0.15
    assert svg.strength(1) <= 0.8
