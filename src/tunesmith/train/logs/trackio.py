"""Trackio: a run of the project `tunesmith` on this machine; look at it with `trackio show`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import trackio


class Log:
    """A run, which goes on when the training does."""

    def __init__(self, name: str, folder: Path) -> None:
        self._run = trackio.init(project="tunesmith", name=name, resume="allow", embed=False)

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """Keep all of a step at once."""
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        """Hand over what is still held back."""
        self._run.finish()
