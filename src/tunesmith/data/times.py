"""Columns of times, however they are written, as seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import polars as pl

# Numbers from here on are milliseconds since 1970, not seconds: as seconds it would be the year 5138.
_MILLISECONDS = 1e11
_NUMBER = re.compile(r"-?\d{1,7}(\.\d+)?|\d{9,15}(\.\d+)?")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


def seconds(texts: pl.Series) -> pl.Series:
    """Seconds since 1970 (Float64) of dates, times and numbers; UTC unless said; null for anything else.

    `2024-05-01`, `2024/5/1 12:00`, `2024-05-01T12:00:00+08:00`, `2024年5月1日`, `20240501`, 1714521600.
    """
    return pl.Series([None if text is None else _moment(text.strip()) for text in texts], dtype=pl.Float64)


def _moment(text: str) -> float | None:
    if _NUMBER.fullmatch(text):
        number = float(text)
        return number / 1000 if number >= _MILLISECONDS else number
    try:
        moment = datetime.fromisoformat(_DAY.sub(_iso_day, text, count=1).strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _iso_day(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    return f"{year}-{int(month):02}-{int(day):02}"
