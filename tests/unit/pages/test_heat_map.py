"""A heat map: faint shares are still seen."""

from __future__ import annotations

from tunesmith.pages import heat_map


def test_a_few_mistakes_are_visible() -> None:
    assert heat_map.strength(0) == 0
    assert heat_map.strength(0.01) > 0.15
    assert heat_map.strength(1) <= 0.8
