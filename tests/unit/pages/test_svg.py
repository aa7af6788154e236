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


def drawn_bins(limit: float | None, beyond: int = 0) -> ET.Element:
    bins = svg.Bins(start=0, width=10, counts=[5, 0, 2], beyond=beyond)
    drawn = svg.histogram(
        "Tokens", "few", bins, x_name="", y_name="rows", limit=limit, limit_name="context 20"
    )
    return parse(drawn)


def columns(found: ET.Element) -> dict[str, str]:
    return {str(rect[0].text): str(rect.get("class")) for rect in found.iter("rect")}


def test_a_histogram_shows_what_is_over_the_limit_in_another_colour() -> None:
    assert columns(drawn_bins(20)) == {"0–9: 5": "column", "20–29: 2": "over"}
    assert columns(drawn_bins(None)) == {"0–9: 5": "column", "20–29: 2": "column"}
    assert columns(drawn_bins(20, beyond=3))["≥ 30: 3"] == "over"


def test_a_limit_is_drawn_unless_it_would_press_all_against_the_left() -> None:
    assert [text.text for text in drawn_bins(45).iter("text")].count("context 20") == 1
    assert "context 20" not in [text.text for text in drawn_bins(4_000).iter("text")]


def test_one_row_among_many_is_seen() -> None:
    bins = svg.Bins(start=0, width=1, counts=[1_000_000, 1])
    found = parse(svg.histogram("t", "d", bins, x_name="", y_name="rows"))
    assert all(float(str(rect.get("height"))) >= 1 for rect in found.iter("rect"))


def test_ranks_have_a_column_for_each_value() -> None:
    found = parse(svg.ranks("Labels", "two", [("<a>: 9", 9), ("b: 1", 1)]))
    assert [rect[0].text for rect in found.iter("rect")] == ["<a>: 9", "b: 1"]
    assert "Labels. two" in str(found.get("aria-label"))
