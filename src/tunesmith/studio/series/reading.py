"""From lines of events.jsonl to columns, going on where the last reading ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from tunesmith.studio.series.known import EMPTY, Kind, Known, Mark, Track

_BLOCK = 8 << 20
_STEP = (
    "step",
    "steps",
    "epoch",
    "loss",
    "learning_rate",
    "grad_norm",
    "tokens",
    "seconds",
    "seconds_left",
    "memory",
)


def read(path: Path, known: Known, wanted: Callable[[], bool] = lambda: True) -> Known:
    """`known` with what was written since; all anew where the file does not go on from it.

    As soon as it is no longer `wanted`, what was read until then.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return Known()
    with file:
        if not _continues(file, known):
            known = Known()
        file.seek(known.read)
        rest = b""
        while wanted() and (block := file.read(_BLOCK)):
            end = block.rfind(b"\n") + 1
            if end:
                known = _extended(known, rest + block[:end])
            rest = block[end:] if end else rest + block
    return known


def _continues(file: Any, known: Known) -> bool:
    """Whether the line read last is still where it was: it has the time it was written at."""
    file.seek(known.read - len(known.last))
    found: bytes = file.read(len(known.last))
    return found == known.last


class _Rows:
    """Rows of one track that were read together."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.values: list[tuple[float, ...]] = []
        self.step = -1.0

    def add(self, track: Track, kind: Kind, record: Mapping[str, Any]) -> Track:
        """Take a row; gives the track with the rows before it where they do not go together."""
        # Infinity and NaN are words in the file, which numpy reads as the numbers they are.
        values = record["scores"] if kind == "validation" else record
        names = tuple(values) if kind == "validation" else _STEP
        if names != self.names or record["step"] <= self.step:
            track = self.flushed(track)
            self.names = names
        self.step = record["step"]
        self.values.append((record["step"], record["time"], *map(values.get, names)))
        return track

    def flushed(self, track: Track) -> Track:
        """The track with all rows."""
        done = track.extended(("step", "time", *self.names), self.values) if self.values else track
        self.values, self.step = [], -1.0
        return done


def _extended(known: Known, lines: bytes) -> Known:
    tracks, marks = dict(known.tracks), list(known.marks)
    rows: dict[tuple[str, Kind], _Rows] = {}
    training, step = known.training, known.step
    for offset, size, record in _records(lines, known.read):
        event = record["event"]
        if event == "StageStarted":
            training = record["detail"] if record["stage"] == "train" else ""
            step = 0
        step = record.get("step", step)
        kind = _KINDS.get(event)
        if kind is None:
            marks.append(_mark(record, training, step, offset, size))
            continue
        at = (training, kind)
        if at not in rows:
            rows[at] = _Rows()
        tracks[at] = rows[at].add(tracks.get(at, EMPTY), kind, record)
    for at, mine in rows.items():
        tracks[at] = mine.flushed(tracks[at])
    return replace(
        known, read=known.read + len(lines), last=lines[lines.rfind(b"\n", 0, -1) + 1 :],
        training=training, step=step, tracks=tracks, marks=tuple(marks),
    )  # fmt: skip


def _records(lines: bytes, offset: int) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Of each line where it begins, how long it is, and what it says; torn ones say nothing."""
    torn = suppress(ValueError)
    for line in lines.split(b"\n")[:-1]:
        size = len(line) + 1
        with torn:
            yield offset, size, from_json(line)
        offset += size


_KINDS: Mapping[str, Kind] = {"Step": "train", "Evaluated": "validation"}


def _mark(record: Mapping[str, Any], training: str, step: int, offset: int, size: int) -> Mark:
    return Mark(
        event=record["event"], time=record["time"], training=training, step=step, offset=offset, size=size
    )


def said(path: Path, mark: Mark) -> dict[str, Any]:
    """The event of a mark as the file has it."""
    with path.open("rb") as file:
        file.seek(mark.offset)
        found: dict[str, Any] = from_json(file.read(mark.size))
    return found
