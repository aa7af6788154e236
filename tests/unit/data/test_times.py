"""Times in the ways people write them."""

from __future__ import annotations

import polars as pl
import pytest

from tunesmith.data.times import seconds

NOON = 1714564800.0


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-01 12:00", NOON),
        ("2024/5/1 12:00:00", NOON),
        (" 2024.05.01T12:00:00.5 ", NOON + 0.5),
        ("2024-05-01T20:00:00+08:00", NOON),
        ("2024-05-01T12:00:00Z", NOON),
        ("2024年5月1日", NOON - 43200),
        ("20240501", NOON - 43200),
        ("1714564800", NOON),
        ("1714564800000", NOON),
        ("2019", 2019.0),
        ("soon", None),
        ("2024-13-01", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_is_read_or_it_is_none(text: str | None, moment: float | None) -> None:
    assert seconds(pl.Series([text], dtype=pl.String)).to_list() == [moment]
