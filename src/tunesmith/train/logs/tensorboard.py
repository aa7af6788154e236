"""TensorBoard: event files in the run's folder; look at them with `tensorboard --logdir`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter


class Log:
    """A folder of event files under `tensorboard/`."""

    def __init__(self, name: str, folder: Path) -> None:
        self._writer = SummaryWriter(str(folder / "tensorboard" / name))

    def numbers(self, values: Mapping[str, float], step: int) -> None:
        """Write each as a scalar."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is still held back."""
        self._writer.close()
