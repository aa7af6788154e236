"""From the events of a run to the numbers that a tracker keeps: one tracker's run for each model trained.

A tracker is an extra package with a file of its own here, whose `Log` begins a run; imported when named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from tunesmith.core.errors import MissingError
from tunesmith.core.events import Evaluated, Event, StageFinished, StageStarted, Step


class Log(Protocol):
    """A run that a tracker keeps."""

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """Keep values of a step."""
        ...

    def close(self) -> None:
        """The run is over, or is cut off."""
        ...


def check(names: Sequence[str]) -> None:
    """Find out that all trackers are installed, without importing one.

    Raises:
        MissingError: T09 naming the first that is not.
    """
    for name in names:
        if find_spec(name) is None:
            raise MissingError("T09", name=name)


class Follower:
    """Tells the named trackers what happens in a run; `folder` is for those that write files."""

    def __init__(self, names: Sequence[str], run: str, folder: Path) -> None:
        self._names = names
        self._run = run
        self._folder = folder
        self._logs: list[Log] = []

    def tell(self, event: Event) -> None:
        """Pass on what is of interest in an event."""
        if isinstance(event, StageStarted) and event.stage == "train":
            self._logs = [_opened(name)(f"{self._run}-{event.detail}", self._folder) for name in self._names]
        elif isinstance(event, StageFinished):
            self.close()
        elif values := numbers(event):
            for log in self._logs:
                log.numbers(values, event.step)  # type: ignore[union-attr]

    def close(self) -> None:
        """End what is open."""
        for log in self._logs:
            log.close()
        self._logs = []


def numbers(event: Event) -> dict[str, float]:
    """The numbers of an event, by the names that trackers group by."""
    if isinstance(event, Step):
        return {
            "train/loss": event.loss,
            "train/learning_rate": event.learning_rate,
            "train/grad_norm": event.grad_norm,
            "train/tokens_per_second": event.tokens_per_second,
            "train/memory_bytes": float(event.memory),
            "train/epoch": event.epoch,
        }
    if isinstance(event, Evaluated):
        return {f"validation/{name}": value for name, value in event.scores.items()}
    return {}


def _opened(name: str) -> Callable[[str, Path], Log]:
    made: Callable[[str, Path], Log] = import_module(f"tunesmith.train.logs.{name}").Log
    return made
