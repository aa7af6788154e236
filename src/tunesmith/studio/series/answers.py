"""A series as it is sent: short columns, which training is meant, and no digit that nobody can see."""

from __future__ import annotations

import numpy as np

from tunesmith.core.errors import NotFoundError
from tunesmith.serve.answers import Frozen
from tunesmith.studio.series import axes
from tunesmith.studio.series.axes import Axis
from tunesmith.studio.series.buckets import buckets
from tunesmith.studio.series.known import Known, Numbers

# As many as a float32 has. The file of all points has every digit.
_DIGITS = 7
Column = list[float | None]


class Series(Frozen):
    """One series: of each bucket of `size` rows where it ends, its lowest, highest and last value.

    `broken` are the places of buckets in which a value is no number. `rows` are those of the whole range.
    """

    key: str
    x: list[float]
    low: Column
    high: Column
    last: Column
    broken: list[float]
    rows: int
    size: int


def training_of(known: Known, wanted: str) -> str:
    """The training that is meant.

    Raises:
        NotFoundError: W41 when there is none of that name.
    """
    if wanted and wanted not in known.trainings:
        raise NotFoundError("W41", name=wanted, known=", ".join(known.trainings) or "-")
    return wanted or (known.trainings[-1] if known.trainings else "")


def series_of(
    known: Known, training: str, key: str, axis: Axis, points: int, first: float | None, final: float | None
) -> Series:
    """One of the series of a training, in about `points` buckets from `first` to `final`."""
    track, values = axes.find(known, training, key)
    found = buckets(axes.along(known, training, track, axis), values, points, first, final)
    return Series(
        key=key,
        x=found.x.tolist(),
        low=column(found.low),
        high=column(found.high),
        last=column(found.last),
        broken=found.broken.tolist(),
        rows=found.rows,
        size=found.size,
    )


def column(values: Numbers) -> Column:
    """Numbers with the digits that can be seen; None for what is none."""
    finite = np.isfinite(values)
    size = np.abs(values, where=finite & (values != 0), out=np.ones(len(values)))
    scale = 10.0 ** np.clip(_DIGITS - 1 - np.floor(np.log10(size)), -300, 300)
    known = np.round(values * scale) / scale
    return [value if there else None for value, there in zip(known.tolist(), finite.tolist(), strict=True)]
