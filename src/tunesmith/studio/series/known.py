"""What was read of a run's events: numbers in columns, and where everything else is in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["train", "validation"]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """The rows of one kind that one training said: columns [rows] of equal length, `step` rising."""

    columns: Mapping[str, Numbers]

    def __len__(self) -> int:
        return len(self.columns["step"])

    def extended(self, names: Sequence[str], rows: Sequence[Sequence[float]]) -> Track:
        """With `rows` behind those before their first step: a training that goes back says steps again."""
        table = np.array(rows, dtype=np.float64).T
        first = table[names.index("step")][0]
        kept = int(np.searchsorted(self.columns["step"], first))
        new = dict(zip(names, table, strict=True))
        every = dict.fromkeys((*self.columns, *new))
        return Track(
            columns={
                name: np.concatenate(
                    [_of(self.columns, name, len(self))[:kept], _of(new, name, table.shape[1])]
                )
                for name in every
            }
        )


def _of(columns: Mapping[str, Numbers], name: str, rows: int) -> Numbers:
    return columns[name] if name in columns else np.full(rows, np.nan)


EMPTY = Track(columns={"step": np.empty(0)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An event that is no row of numbers: after which step of which training, and its line in the file."""

    event: str
    time: float
    training: str
    step: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Known:
    """What the first `read` bytes of events.jsonl say; they end with the line `last`.

    `training` is the one whose rows come next, after its step `step`.
    """

    read: int = 0
    last: bytes = b""
    training: str = ""
    step: int = 0
    tracks: Mapping[tuple[str, Kind], Track] = field(default_factory=dict[tuple[str, Kind], Track])
    marks: tuple[Mark, ...] = ()

    @property
    def trainings(self) -> tuple[str, ...]:
        """All that trained, in order."""
        return tuple(dict.fromkeys(training for training, _ in self.tracks))

    @property
    def bytes(self) -> int:
        """What the columns take in memory."""
        return sum(column.nbytes for track in self.tracks.values() for column in track.columns.values())

    def track(self, training: str, kind: Kind) -> Track:
        """The rows of a training; none where it said none."""
        return self.tracks.get((training, kind), EMPTY)
