"""Weights & Biases: a run of the project `tunesmith`; WANDB_MODE=offline keeps it in the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import wandb


class Log:
    """A run, which goes on when the training does."""

    def __init__(self, name: str, folder: Path) -> None:
        self._run = wandb.init(project="tunesmith", name=name, id=name, dir=str(folder), resume="allow")

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """Keep all of a step at once."""
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        """Hand over what is still held back."""
        self._run.finish()
