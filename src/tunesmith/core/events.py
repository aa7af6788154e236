"""What happened, as typed events: the stream that training yields and that every reader follows.

`events.jsonl` of a run folder holds one event a line: {"event": "Step", "time": ..., fields}.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from tunesmith.core import durable
from tunesmith.core.plain import dumps, figures


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted:
    """A stage of a run begins: data, train, eval or publish; `detail` says with what."""

    stage: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFinished:
    """A stage is done; `cached` when its result was already there."""

    stage: str
    cached: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One optimizer step. `loss` is the mean over the step's targets; `tokens` counts real tokens only.

    `seconds` is what the step took, `seconds_left` what those to come will take; `memory` is in bytes.
    """

    step: int
    steps: int
    epoch: float
    loss: float
    learning_rate: float
    grad_norm: float
    tokens: int
    seconds: float
    seconds_left: float = 0.0
    memory: int = 0

    @property
    def tokens_per_second(self) -> float:
        """Real tokens, with no padding among them."""
        return self.tokens / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A step that was not learned from: `reason` is `not_finite` or `spike`, `rows` say `file:line`."""

    step: int
    steps: int
    reason: str
    rows: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """Scores of the model on the validation part after `step`."""

    step: int
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model wrote for a row, beside what the data has there, if it has anything."""

    prompt: str
    answer: str
    expected: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """What the model writes after `step` for a few rows of the validation part."""

    step: int
    samples: Sequence[Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A checkpoint is complete on disk."""

    step: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """Training goes on after `step` from a checkpoint."""

    step: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something the user should know, by its message code."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The user stopped the run after `step`; it can be continued."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The run ended with an error, by its code."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Training reached its last step; the weights after the step `kept` are the ones that are saved."""

    step: int
    loss: float
    kept: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStarted:
    """The search tries `values`, under dotted keys of `train`; at most `trials` are made."""

    trial: int
    trials: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFinished:
    """What a trial came to: `state` is complete, pruned (ended early) or failed (with the `reason`'s code).

    `figure` is the `metric` of the kept weights on the validation part; `curve` has [rows seen, figure].
    """

    trial: int
    values: Mapping[str, Any]
    state: str
    metric: str
    figure: float | None
    seconds: float
    curve: Sequence[Sequence[float]] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """All stages of the run are done."""

    seconds: float


Event = (
    StageStarted
    | StageFinished
    | Step
    | Skipped
    | Evaluated
    | Sampled
    | Saved
    | Resumed
    | Warned
    | Stopped
    | Failed
    | Finished
    | TrialStarted
    | TrialFinished
    | Completed
)
KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        StageStarted, StageFinished, Step, Skipped, Evaluated, Sampled, Saved, Resumed, Warned,
        Stopped, Failed, Finished, TrialStarted, TrialFinished, Completed,
    )
}  # fmt: skip


_TAIL = 4096


class EventLog:
    """The events.jsonl of a run folder."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock

    def append(self, event: Event) -> None:
        """Add an event with the time of now."""
        durable.append_line(self.path, encode(event, self._clock()))

    def records(self) -> Iterator[dict[str, Any]]:
        """All complete lines, as dictionaries; a torn last line is left out."""
        if not self.path.exists():
            return
        for line in self.path.read_bytes().split(b"\n")[:-1]:
            try:
                yield json.loads(line)
            except ValueError:
                continue

    def first(self) -> dict[str, Any] | None:
        """The first line."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            line = file.readline()
        return _last_of([line]) if line.endswith(b"\n") else None

    def last(self, event: str | None = None) -> dict[str, Any] | None:
        """The last complete line (of one kind of event), found without reading those before it."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            end, size = file.seek(0, os.SEEK_END), _TAIL
            while True:
                begin = file.seek(max(0, end - size))
                lines = file.read(end - begin).split(b"\n")[:-1]
                found = _last_of(lines if begin == 0 else lines[1:], event)
                if found is not None or begin == 0:
                    return found
                size *= 16

    def read(self) -> Iterator[Event]:
        """All events, in order."""
        for record in self.records():
            yield decode(record)

    def rewind(self, step: int, detail: str) -> None:
        """Drop what the training of `detail` said after `step`: it says it again when it continues there."""
        keep: list[str] = []
        current = ""
        for record in self.records():
            if record["event"] == "StageStarted":
                current = record["detail"] if record["stage"] == "train" else ""
            later = record["event"] in _REPEATED and record["step"] > step
            if not (later and current == detail):
                keep.append(dumps(record))
        durable.write_bytes(self.path, "".join(line + "\n" for line in keep).encode())

    def training(self, detail: str) -> Iterator[Event]:
        """What the training of `detail` said, in order."""
        current = ""
        for event in self.read():
            if isinstance(event, StageStarted):
                current = event.detail if event.stage == "train" else ""
            elif current == detail:
                yield event


def _last_of(lines: list[bytes], event: str | None = None) -> dict[str, Any] | None:
    for line in reversed(lines):
        with suppress(ValueError):
            record: dict[str, Any] = json.loads(line)
            if event is None or record["event"] == event:
                return record
    return None


# What a training that continues from a checkpoint says again.
_REPEATED = ("Step", "Skipped", "Evaluated", "Sampled", "Saved")
_NUMBERS = ("float", "Mapping[str, float]")


def encode(event: Event, when: float) -> str:
    """An event as one line of JSON."""
    content = {"event": type(event).__name__, "time": round(when, 3), **asdict(event)}
    return dumps(content)


def decode(record: Mapping[str, Any]) -> Event:
    """The event of a line."""
    kind = KINDS[record["event"]]
    # An older version may have said less.
    values = {f.name: record[f.name] for f in fields(kind) if f.name in record}
    numbers = {
        f.name: figures(values[f.name]) for f in fields(kind) if f.name in values and f.type in _NUMBERS
    }
    if kind is Sampled:
        values["samples"] = [Answer(**answer) for answer in values["samples"]]
    event: Event = kind(**{**values, **numbers})
    return event
